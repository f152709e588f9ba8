"""What the stack consists of: the command line of each part, and how one tells that it is ready."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace

from local.settings import ACCESS_KEY, ARTIFACTS, FIRST_MODEL, HOST, S3_PORTS, SECRET_KEY, LocalSettings
from local.sources import ROOT
from local.stack.environment import part_environment, program
from local.stack.home import Home
from local.stack.process import Part
from local.stack.web import answers, fetch, succeeds
from offpath.contracts.errors import Transient

# Files grow as they are filled; these two bound what S3 may hold together: 100 GB.
VOLUME_MEGABYTES = 1_000
VOLUMES = 100

# This machine, and by that name its containers: the functions in Docker, see local/built/relay.py.
ALLOWED_HOSTS = ",".join(f"{host},{host}:*" for host in (HOST, "localhost", "host.docker.internal"))

# One worker and no job consumers: half the time to start, and a fifth of the memory.
MLFLOW_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


class Parts:
    """The parts of a stack with these settings, on this state folder."""

    def __init__(self, settings: LocalSettings, home: Home, environ: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self.home = home
        self._environ = part_environment(os.environ if environ is None else environ, settings)

    def s3(self) -> Part:
        """SeaweedFS. Its state is whole however it ends, and a gentle end takes it 15 s: so it gets little time."""
        self.home.s3_identities.write_text(json.dumps(IDENTITIES))
        self.home.s3_identities.chmod(0o600)
        return Part(
            "s3",
            (program("weed"), "-logtostderr=true", "server", *self._weed_options()),
            self._environ,
            ROOT,
            ready=self._s3_serves,
            address=self.settings.s3_url,
            grace_seconds=2,
            orphan_signal=signal.SIGKILL,
        )

    def sqs(self) -> Part:
        """moto's server."""
        return Part(
            "sqs",
            (sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.settings.sqs_port)),
            self._environ,
            ROOT,
            ready=lambda: answers(f"{self.settings.sqs_url}/moto-api/"),
            address=self.settings.sqs_url,
        )

    def mlflow(self) -> Part:
        """MLflow's server: SQLite in the state folder, artifacts in S3."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(self.settings.mlflow_port)]
        command += ["--workers", "1", "--uvicorn-opts", "--no-access-log", "--allowed-hosts", ALLOWED_HOSTS]
        command += ["--backend-store-uri", f"sqlite:///{self.home.database}"]
        command += ["--artifacts-destination", f"s3://{ARTIFACTS}"]
        return Part(
            "mlflow",
            tuple(command),
            self._environ | MLFLOW_ENVIRONMENT | {"MLFLOW_S3_ENDPOINT_URL": self.settings.s3_url},
            ROOT,
            ready=lambda: succeeds(f"{self.settings.mlflow_url}/health"),
            address=self.settings.mlflow_url,
            restarts=True,
        )

    def api(self) -> Part:
        """The prediction API under uvicorn."""
        command = [sys.executable, "-m", "uvicorn", "prediction_api.handler:app", "--host", HOST]
        command += ["--port", str(self.settings.api_port), "--timeout-graceful-shutdown", "5"]
        return Part(
            "api",
            tuple(command),
            self._environ,
            ROOT,
            ready=lambda: answers(f"{self.settings.api_url}/health"),
            address=self.settings.api_url,
            restarts=True,
            grace_seconds=15,
        )

    def writer(self) -> Part:
        """The trace writer behind its queue."""
        time_to_end = self.settings.writer_timeout_seconds + self.settings.drain_seconds
        return self._module("writer", "local.aws.writer_loop", says="polling ", grace_seconds=time_to_end + 5)

    def sync(self) -> Part:
        """The model sync on its schedule."""
        return self._module("sync", "local.aws.sync_loop", says="syncing every ", grace_seconds=5)

    def worker(self) -> Part:
        """The training worker: it trains what the API is asked to."""
        part = self._module("worker", "training.worker", says="waiting for jobs on ", grace_seconds=15)
        return replace(part, environ=self._training_environment())

    def train(self) -> Part:
        """Trains and registers the first model, and waits for MLflow to do so."""
        wait = str(int(self.settings.start_seconds))
        command = (sys.executable, "-m", "training", FIRST_MODEL, "--wait", wait)
        return Part("train", command, self._training_environment(), ROOT)

    def _training_environment(self) -> dict[str, str]:
        mlflow = {"MLFLOW_TRACKING_URI": self.settings.mlflow_url, "MLFLOW_DISABLE_TELEMETRY": "true"}
        return self._environ | mlflow

    def _module(self, name: str, module: str, says: str, grace_seconds: float) -> Part:
        # sync_loop itself says what changed; the handler would say at every sync that nothing did
        quiet = {"POWERTOOLS_LOG_LEVEL": "CRITICAL"} if name == "sync" else {}
        command = (sys.executable, "-m", module)
        return Part(name, command, self._environ | quiet, ROOT, says=says, restarts=True, grace_seconds=grace_seconds)

    def _s3_serves(self) -> bool:
        # the S3 server is up before the volumes of the last run are known, and fails to read until they are
        master = f"http://{HOST}:{self.settings.s3_port + S3_PORTS.index('master')}"
        return succeeds(f"{self.settings.s3_url}/healthz") and has_volumes(f"{master}/dir/status")

    def _weed_options(self) -> list[str]:
        port = {name: self.settings.s3_port + offset for offset, name in enumerate(S3_PORTS)}
        options: dict[str, object] = {
            "dir": self.home.s3,
            "ip": HOST,
            "ip.bind": HOST,
            "master.port": port["master"],
            "master.port.grpc": port["master.grpc"],
            "master.telemetry": "false",
            "master.peers": "none",  # no election: it would take seconds
            "master.volumeSizeLimitMB": VOLUME_MEGABYTES,
            "volume.max": VOLUMES,
            "volume.port": port["volume"],
            "volume.port.grpc": port["volume.grpc"],
            "volume.preStopSeconds": 0,
            "filer.port": port["filer"],
            "filer.port.grpc": port["filer.grpc"],
            "s3.port": port["s3"],
            "s3.port.grpc": port["s3.grpc"],
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": self.home.s3_identities,
            "metricsPort": 0,
        }
        return ["-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]


IDENTITIES = {
    "identities": [
        {
            "name": "offpath",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


def has_volumes(status_url: str) -> bool:
    """Whether SeaweedFS's volume server has told its master what it holds."""
    try:
        centers = fetch(status_url)["Topology"]["DataCenters"] or []
        return any(rack["DataNodes"] for center in centers for rack in center["Racks"])
    except (Transient, KeyError, TypeError):
        return False
