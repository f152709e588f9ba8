"""Start the emulator as a process of its own, which goes on when the command that started it has ended."""

import json
import os
import subprocess
import sys

from local.deployed.environment import endpoint_environment
from local.deployed.home import PORT, DeployedHome, Deployment
from local.deployed.image import PREFIX
from local.errors import CommandRefused, ServiceFailed
from local.sources import ROOT
from local.stack.process_file import ProcessFile
from local.stack.signals import Interrupts
from local.stack.web import succeeds
from offpath.retry import attempts, every

PYTHON = ROOT / ".venv-emulator" / "bin" / "python"
NAME = "emulator"
START_SECONDS = 120.0
PAUSE_SECONDS = 0.2


def start(home: DeployedHome, deployment: Deployment, interrupts: Interrupts) -> None:
    """Start it, and return once it answers. Raises CommandRefused, ServiceFailed or Interrupted."""
    if not PYTHON.exists():
        raise CommandRefused("the emulator is not installed: make deploy-local does it")
    log = home.logs / "emulator.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [PYTHON, "-m", "local.emulator"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment(home, deployment),
            cwd=ROOT,
            start_new_session=True,
        )
    ProcessFile(home.processes(NAME)).write({NAME: process.pid})
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=START_SECONDS)):
        interrupts.check()
        if succeeds(f"{deployment.endpoint}/_ministack/ready"):
            return
        if process.poll() is not None:
            break
    raise ServiceFailed(NAME, f"the emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")


def environment(home: DeployedHome, deployment: Deployment) -> dict[str, str]:
    """Return the emulator's settings: one listener, IAM that is enforced, and functions in Docker."""
    form = "debian" if deployment.full else "plain"
    return endpoint_environment(os.environ, deployment) | {
        "BIND_HOST": deployment.gateway,
        "GATEWAY_PORT": str(PORT),
        "MINISTACK_HOST": deployment.gateway,
        # Its containers are known by it: two deployments on one engine leave each other's alone.
        "MINISTACK_HOSTNAME": deployment.network,
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "docker",
        "LAMBDA_STRICT": "1",
        "LAMBDA_DOCKER_NETWORK": deployment.network,
        "MINISTACK_IMAGE_PREFIX": PREFIX,
        "IOT_MTLS_ENABLED": "0",
        "GREENGRASS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(home.temporary),
        "PYTHONUNBUFFERED": "1",
        "OFFPATH_DEPLOYED_HOME": str(home.path),
        "OFFPATH_EMULATOR_MACHINES": json.dumps([sys.executable, "-m", "local.deployed.machines", form]),
    }
