"""A clean Debian 12 with systemd in a container: to set a server up for real."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import ServiceFailed
from local.testbed.docker import create_network, docker, remove_network
from offpath.retry import attempts, every

IMAGE = "debian-host:12"
DOCKERFILE = Path(__file__).parent / "debian"
# This machine's certificates, by which it reaches the package registries.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BOOT_SECONDS = 300.0
PAUSE_SECONDS = 0.2
# What systemd needs of a container.
OPTIONS = (
    *(
        "--cap-add",
        "SYS_ADMIN",
        "--cap-add",
        "SYS_PTRACE",
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "apparmor=unconfined",
    ),
    *("--tmpfs", "/run", "--tmpfs", "/tmp:exec"),  # noqa: S108
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup", "--cgroupns", "host"),
)


def ensure_image() -> None:
    """Build the image, if it is not there."""
    if not docker("images", "--quiet", IMAGE):
        docker("build", "--tag", IMAGE, str(DOCKERFILE))


@contextmanager
def network(name: str) -> Iterator[str]:
    """A network of containers that know each other by name; gives the address that this machine has in it."""
    try:
        yield create_network(name)
    finally:
        remove_network(name)


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a command on a machine."""

    code: int
    text: str


class DebianMachine:
    """A machine by the name of its container: one that runs, or that `boot` starts. It runs until `remove`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def boot(self, network_name: str, alias: str, *options: str) -> None:
        """Start it. alias: its host name in the network. options: of `docker run`. Raises ServiceFailed."""
        place = ("--network", network_name, "--network-alias", alias, "--hostname", alias)
        docker("run", "--detach", "--name", self.name, *place, *OPTIONS, *options, IMAGE, "/sbin/init")
        for _ in attempts(every(PAUSE_SECONDS, budget_seconds=BOOT_SECONDS)):
            if self.run("systemctl is-system-running", check=False).text in {"running", "degraded"}:
                break
        else:
            raise ServiceFailed(self.name, f"{self.name} did not come up")
        docker("cp", "--follow-link", CERTIFICATES, f"{self.name}:{CERTIFICATES}")

    def published(self, port: int) -> int:
        """The port of 127.0.0.1 here that leads to that port there."""
        return int(docker("port", self.name, f"{port}/tcp").splitlines()[0].rpartition(":")[2])

    def run(self, script: str, *, check: bool = True, environ: Mapping[str, str] | None = None) -> Ran:
        """Run a bash script as root; its output and errors together. check: a failure is a ServiceFailed."""
        given = [word for name, value in (environ or {}).items() for word in ("--env", f"{name}={value}")]
        done = subprocess.run(
            ["docker", "exec", *given, self.name, "bash", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if check and done.returncode:
            raise ServiceFailed(
                self.name, f"{script!r} on {self.name} ended with {done.returncode}:\n{done.stdout[-4000:]}"
            )
        return Ran(done.returncode, done.stdout.strip())

    def install(self, packages: Sequence[str]) -> None:
        """Install Debian packages."""
        options = "-qq -o Dpkg::Use-Pty=0"
        install = f"DEBIAN_FRONTEND=noninteractive apt-get {options} install -y --no-install-recommends"
        self.run(f"apt-get {options} update && {install} {shlex.join(packages)} >/dev/null")

    def write(self, path: str, content: str, mode: str = "644") -> None:
        """Write a file, and the folders above it."""
        script = f"mkdir -p $(dirname {path}) && cat > {path} && chmod {mode} {path}"
        docker("exec", "--interactive", self.name, "bash", "-c", script, stdin=content)

    def copy(self, folder: Path, target: str) -> None:
        """Copy a folder's content into a new folder there."""
        self.run(f"mkdir -p {shlex.quote(target)}")
        docker("cp", f"{folder}{os.sep}.", f"{self.name}:{target}")

    def remove(self) -> None:
        """End it, and throw it away."""
        docker("rm", "--force", "--volumes", self.name)
