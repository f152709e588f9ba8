"""The fast form: MLflow is a process on this machine over SQLite, and its proxy a container with the machine's name.

The association's commands run in that container, but for their last line, the set-up of a Debian machine: they write
the machine's settings, and fetch its files with the machine's role. With these the process is started.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.deployed.environment import endpoint_environment
from local.deployed.home import DeployedHome, Deployment
from local.deployed.image import IMAGE
from local.deployed.machines.await_health import await_health
from local.deployed.machines.tunnel import PORT, container_name, tunnel
from local.errors import ServiceFailed
from local.sources import ROOT
from local.stack.process_file import ProcessFile
from local.testbed.authority import Authority
from local.testbed.docker import docker

PROGRAMS = Path(__file__).with_name("programs")
SET_UP = 'bash "$folder/setup"'
PYTHON = "/var/lang/bin/python3.13"


class PlainMachines:
    """Makes the one machine that there is."""

    def __init__(self, home: DeployedHome, deployment: Deployment) -> None:
        self._folder = home.machine
        self._logs = home.logs
        self._deployment = deployment
        self._container = container_name(deployment.network)
        self._processes = ProcessFile(home.processes("machine"))

    def start_machine(self, name: str, user_data: str, environ: Mapping[str, str]) -> None:  # noqa: ARG002
        """Start the proxy, with a certificate for that name. There is no first boot: nothing has to be installed."""
        for folder in ("etc", "opt", "run"):
            (self._folder / folder).mkdir(exist_ok=True)
        authority = Authority("offpath local deployment")
        authority.write_certificate([name, "localhost"], self._folder / "run" / "server.pem")
        (self._folder / "ca.pem").write_bytes(authority.pem)
        self._credentials.touch(mode=0o600)
        self._credentials.write_text(json.dumps(dict(environ)), encoding="utf-8")
        mounts = {self._folder / "etc": "/etc/offpath", self._folder / "opt": "/opt/offpath", PROGRAMS: "/programs:ro"}
        mounts[self._folder / "run"] = "/srv/run"
        volumes = [word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}")]
        docker(
            *("run", "--detach", "--name", self._container, "--user", f"{os.getuid()}:{os.getgid()}"),
            *("--network", self._deployment.network, "--network-alias", name),
            *("--publish", f"127.0.0.1::{PORT}", *volumes, "--entrypoint", PYTHON, IMAGE, "/programs/proxy.py"),
        )

    def set_up(self, name: str, commands: str) -> None:  # noqa: ARG002
        """Run the commands, and start MLflow with what they left. Raises ServiceFailed."""
        script, found, rest = commands.rpartition(SET_UP)
        if not found or rest.strip():
            raise ServiceFailed("set-up", f"the association's commands do not end with {SET_UP}")
        self._run_there(script)
        self._processes.end_leftovers()
        environ = self._settings() | {"OFFPATH_WORKERS": "1"}
        self._run_here("offpath_host.publish_ca", environ, str(self._folder / "ca.pem"))
        started = {"mlflow": self._start("mlflow", "local.deployed.machines.serve_plain", environ)}
        self._processes.write(started)
        await_health(tunnel(self._deployment.network), self._processes, self._logs / "mlflow.log")
        if environ.get("OFFPATH_TRAINING_QUEUE_URL"):
            started["trainer"] = self._start("trainer", "local.deployed.machines.train_plain", environ)
            self._processes.write(started)

    def remove_machine(self, name: str) -> None:  # noqa: ARG002
        """End MLflow, and remove the proxy."""
        self._processes.end_leftovers()
        docker("rm", "--force", "--volumes", self._container, check=False)

    def create_database(self, host: str, engine: str, username: str, password: str, database: str) -> None:
        """There is nothing to make: MLflow's process has a file."""

    def remove_database(self, host: str) -> None:
        """The file goes with the folder."""

    @property
    def _credentials(self) -> Path:
        return self._folder / "credentials.json"

    def _run_there(self, script: str) -> None:
        environ = json.loads(self._credentials.read_text(encoding="utf-8")) | {
            "AWS_ENDPOINT_URL": self._deployment.endpoint,
            "PATH": "/programs:/var/lang/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": "/var/runtime",
        }
        given = [word for variable in environ.items() for word in ("--env", "=".join(variable))]
        docker("exec", "--interactive", *given, self._container, "sh", "-s", stdin=script)

    def _settings(self) -> dict[str, str]:
        """Return the environment of the machine's services: its settings, and its files first on Python's path."""
        lines = (self._folder / "etc" / "host.env").read_text(encoding="utf-8").splitlines()
        files = max((self._folder / "opt").glob("host-*"), key=lambda folder: folder.stat().st_mtime)
        return {
            **endpoint_environment(os.environ, self._deployment),
            **dict(line.strip().split("=", 1) for line in lines if line.strip()),
            **json.loads(self._credentials.read_text(encoding="utf-8")),
            "MLFLOW_S3_ENDPOINT_URL": self._deployment.endpoint,
            "PYTHONPATH": f"{files}:{files / 'linked'}",
            "RUNTIME_DIRECTORY": str(self._folder / "run"),
            "STATE_DIRECTORY": str(self._folder),
            "OFFPATH_TUNNEL_URL": tunnel(self._deployment.network),
        }

    def _run_here(self, module: str, environ: Mapping[str, str], *words: str) -> None:
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceFailed(module, f"{module} failed:\n{(done.stdout + done.stderr)[-2000:]}")

    def _start(self, name: str, module: str, environ: Mapping[str, str]) -> int:
        with (self._logs / f"{name}.log").open("ab") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd=self._folder,
                start_new_session=True,
            )
        return process.pid
