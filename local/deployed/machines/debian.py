"""The full form: MLflow's machine is a clean Debian with systemd, its database another one, reached over TLS.

User data and the association's commands run there as root, as they are; only the package of AWS's agent is left out.
"""

import shlex
from collections.abc import Mapping

from local.deployed.home import DeployedHome, Deployment
from local.deployed.machines.plain import PROGRAMS
from local.deployed.machines.tunnel import PORT, container_name
from local.errors import ServiceFailed
from local.testbed.database_machine import DATABASE, USERNAME, DatabaseMachine
from local.testbed.debian_machine import CERTIFICATES, DebianMachine, ensure_image

# What user data does from here on is the agent's, whose package AWS alone serves.
AGENT = "curl --fail"
VARIABLES = "/etc/offpath-deployed.env"
DATABASE_CA = "/srv/database-ca.pem"
# Debian's command line of AWS is older than the variable AWS_ENDPOINT_URL.
AWS = '#!/bin/sh\nexec /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n'


class DebianMachines:
    """Makes the two machines."""

    def __init__(self, home: DeployedHome, deployment: Deployment) -> None:
        self._home = home
        self._deployment = deployment
        self._machine = DebianMachine(container_name(deployment.network))
        self._database = DatabaseMachine(f"{deployment.network}-database")

    def start_machine(self, name: str, user_data: str, environ: Mapping[str, str]) -> None:
        """Start the machine, with its role's credentials in place of the metadata service, and run its first boot."""
        script, found, _ = user_data.partition(AGENT)
        if not found:
            raise ServiceFailed("user data", f"there is no {AGENT!r} in it:\n{user_data}")
        ensure_image()
        self._machine.boot(self._deployment.network, name, "--publish", f"127.0.0.1::{PORT}")
        self._machine.write(DATABASE_CA, self._database.ca)
        self._write_variables(environ)
        self._machine.write("/usr/local/bin/aws", AWS, "755")
        self._machine.write("/srv/tunnel.py", (PROGRAMS / "tunnel.py").read_text(encoding="utf-8"))
        self._machine.run("systemd-run --quiet --unit=tunnel --property=Restart=always python3 /srv/tunnel.py")
        self._run(script)

    def set_up(self, name: str, commands: str) -> None:  # noqa: ARG002
        """Run the commands."""
        self._run(f"set -a; . {VARIABLES}; set +a\nsh <<'COMMANDS'\n{commands}\nCOMMANDS")

    def remove_machine(self, name: str) -> None:  # noqa: ARG002
        """Remove it."""
        self._machine.remove()

    def create_database(self, host: str, engine: str, username: str, password: str, database: str) -> None:
        """Make it on a machine of its own."""
        if (username, database) != (USERNAME, DATABASE):
            raise ServiceFailed("database", f"expected {USERNAME}'s {DATABASE}, and got {username}'s {database}")
        ensure_image()
        self._database.boot(self._deployment.network, host)
        self._database.provide(host, password, [engine])

    def remove_database(self, host: str) -> None:  # noqa: ARG002
        """Remove it."""
        self._database.remove()

    def _write_variables(self, environ: Mapping[str, str]) -> None:
        given = {
            **environ,
            "AWS_ENDPOINT_URL": self._deployment.endpoint,
            "MLFLOW_S3_ENDPOINT_URL": self._deployment.endpoint,
            "PIP_CERT": CERTIFICATES,
            "OFFPATH_DATABASE_CA_URL": f"file://{DATABASE_CA}",
        }
        defaults = " ".join(f'"{name}={value}"' for name, value in given.items())
        self._machine.write("/etc/systemd/system.conf.d/aws.conf", f"[Manager]\nDefaultEnvironment={defaults}\n")
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in given.items()]
        self._machine.write(VARIABLES, "".join(lines), "600")
        self._machine.run("systemctl daemon-reexec")

    def _run(self, script: str) -> None:
        done = self._machine.run(script, check=False)
        with (self._home.logs / "machine.log").open("a", encoding="utf-8") as log:
            log.write(f"--- exit code {done.code}\n{done.text}\n")
        if done.code:
            raise ServiceFailed("machine", f"exit code {done.code}: {done.text[-2000:]}")
