"""Run Docker's command line."""

import shutil
import subprocess

from local.errors import CommandRefused, ServiceFailed

SHOWN = 2_000


def docker(*words: str, check: bool = True, stdin: str = "") -> str:
    """Return what `docker …` prints. Raises ServiceFailed with its errors when it fails, unless check is false."""
    done = subprocess.run(
        ["docker", *words], input=stdin, capture_output=True, text=True, errors="replace", check=False
    )
    if check and done.returncode:
        raise ServiceFailed("docker", f"docker {' '.join(words[:4])} …: {(done.stdout + done.stderr)[-SHOWN:].strip()}")
    return done.stdout.strip()


def missing_docker() -> str:
    """Return why there is no Docker engine to use, if there is none."""
    if shutil.which("docker") is None:
        return "there is no Docker"
    answer = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return "the Docker engine does not run" if answer.returncode else ""


def check_engine() -> None:
    """Raise CommandRefused where no engine answers."""
    if reason := missing_docker():
        raise CommandRefused(f"{reason}: see https://docs.docker.com/engine/install/, and try `docker info`")


def create_network(name: str) -> str:
    """Make a network of containers, if it is not there; return the address that this machine has in it."""
    if not docker("network", "ls", "--quiet", "--filter", f"name=^{name}$"):
        docker("network", "create", name)
    return docker("network", "inspect", name, "--format", "{{(index .IPAM.Config 0).Gateway}}")


def remove_network(name: str) -> None:
    """Remove the network, and each container in it, running or not."""
    containers = docker("ps", "--all", "--quiet", "--filter", f"network={name}", check=False).split()
    if containers:
        docker("rm", "--force", "--volumes", *containers, check=False)
    docker("network", "rm", name, check=False)
