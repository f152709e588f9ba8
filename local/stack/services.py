"""Describe the services of the stack: the command line of each, and how one tells that it is ready."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import replace

from local.settings import ARTIFACTS, FIRST_MODEL, HOST, LocalSettings
from local.sources import ROOT
from local.stack import seaweedfs
from local.stack.environment import program, service_environment
from local.stack.home import Home
from local.stack.service import Service
from local.stack.web import answers, succeeds

# The names of this machine, and the one that its containers know it by: see local/built/relay.py.
ALLOWED_HOSTS = ",".join(f"{host},{host}:*" for host in (HOST, "localhost", "host.docker.internal"))

# One worker and no job consumers: half the time to start, and a fifth of the memory.
MLFLOW_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


class Services:
    """Describe the services of a stack with these settings, on this state folder. Nothing is started or written.

    environ: the user's environment.
    """

    def __init__(self, settings: LocalSettings, home: Home, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.home = home
        self._environ = service_environment(environ, settings)

    def s3(self) -> Service:
        """Describe SeaweedFS. Its state is whole however it ends, and a gentle end takes 15 s: so it gets little time.

        It reads the file of `seaweedfs.write_identities`.
        """
        return Service(
            "s3",
            (program("weed"), "-logtostderr=true", "server", *seaweedfs.server_options(self.settings, self.home)),
            self._environ,
            ROOT,
            ready=lambda: seaweedfs.serves(self.settings),
            address=self.settings.s3_url,
            restarts=True,
            grace_seconds=2,
            orphan_signal=signal.SIGKILL,
        )

    def sqs(self) -> Service:
        """Describe SQS, whose messages are in a file: however it ends, they are there when it starts again."""
        command = [sys.executable, "-m", "local.queue", str(self.home.queues)]
        command += ["--host", HOST, "--port", str(self.settings.sqs_port)]
        return Service(
            "sqs",
            tuple(command),
            self._environ,
            ROOT,
            ready=lambda: succeeds(f"{self.settings.sqs_url}/health"),
            address=self.settings.sqs_url,
            restarts=True,
        )

    def mlflow(self) -> Service:
        """Describe MLflow's server: SQLite in the state folder, artifacts in S3."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(self.settings.mlflow_port)]
        command += ["--workers", "1", "--uvicorn-opts", "--no-access-log", "--allowed-hosts", ALLOWED_HOSTS]
        command += ["--backend-store-uri", f"sqlite:///{self.home.database}"]
        command += ["--artifacts-destination", f"s3://{ARTIFACTS}"]
        return Service(
            "mlflow",
            tuple(command),
            self._environ | MLFLOW_ENVIRONMENT | {"MLFLOW_S3_ENDPOINT_URL": self.settings.s3_url},
            ROOT,
            ready=lambda: succeeds(f"{self.settings.mlflow_url}/health"),
            address=self.settings.mlflow_url,
            restarts=True,
        )

    def api(self) -> Service:
        """Describe the prediction API under uvicorn."""
        command = [sys.executable, "-m", "uvicorn", "prediction_api.handler:app", "--host", HOST]
        command += ["--port", str(self.settings.api_port), "--timeout-graceful-shutdown", "5"]
        return Service(
            "api",
            tuple(command),
            self._environ,
            ROOT,
            ready=lambda: answers(f"{self.settings.api_url}/health"),
            address=self.settings.api_url,
            restarts=True,
            grace_seconds=15,
        )

    def writer(self) -> Service:
        """Describe the trace writer behind its queue, which takes up what could not be queued, too."""
        time_to_end = self.settings.writer_timeout_seconds + self.settings.drain_seconds
        service = self._module("writer", "local.aws.writer_loop", "polling ", time_to_end + 5)
        sweep = {"OFFPATH_SWEEP_HANDLER": "trace_writer.handler:sweep"}
        sweep["OFFPATH_LAST_RESORT_FILE"] = str(self.home.last_resort)
        return replace(service, environ=self._environ | sweep)

    def sync(self) -> Service:
        """Describe the model sync on its schedule."""
        service = self._module("sync", "local.aws.sync_loop", "syncing every ", 5)
        # The loop itself logs what changed; the handler would log at every sync that nothing did.
        return replace(service, environ=self._environ | {"POWERTOOLS_LOG_LEVEL": "CRITICAL"})

    def worker(self) -> Service:
        """Describe the training worker, which trains what the API is asked to."""
        service = self._module("worker", "training.worker", "waiting for jobs on ", 15)
        return replace(service, environ=self._training_environment())

    def train(self) -> Service:
        """Describe the task that trains and registers the first model, and waits for MLflow to do so."""
        wait = str(int(self.settings.start_seconds))
        command = (sys.executable, "-m", "training", FIRST_MODEL, "--wait", wait)
        return Service("train", command, self._training_environment(), ROOT)

    def _training_environment(self) -> dict[str, str]:
        mlflow = {"MLFLOW_TRACKING_URI": self.settings.mlflow_url, "MLFLOW_DISABLE_TELEMETRY": "true"}
        return self._environ | mlflow

    def _module(self, name: str, module: str, ready_text: str, grace_seconds: float) -> Service:
        return Service(
            name,
            (sys.executable, "-m", module),
            self._environ,
            ROOT,
            ready_text=ready_text,
            restarts=True,
            grace_seconds=grace_seconds,
        )
