"""`make ci-setup` installs what is missing, on a machine that has only the programs that a test gives it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IMAGE = "public.ecr.aws/lambda/python:3.13"
APT_UPDATE = "apt-get update -qq"
APT_INSTALL = "apt-get install -y -qq --no-install-recommends"


@dataclass
class Machine:
    """A folder of programs, which note in a file how they were called."""

    folder: Path
    user: int = 0

    def __post_init__(self) -> None:
        for name in ("bash", "dirname", "env"):
            (self.folder / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
        self.give("id", f"echo {self.user}", notes=False)
        self.give("ldconfig", "echo libgomp.so.1", notes=False)
        self.give("apt-get")

    @property
    def calls(self) -> list[str]:
        """The calls of those programs that note them, in their order."""
        notes = self.folder / "calls.txt"
        return notes.read_text().splitlines() if notes.exists() else []

    def give(self, name: str, does: str = "", *, notes: bool = True) -> None:
        """Install a program. does: what it does, as shell script."""
        note = f'echo "{name} $*" >>"{self.folder}/calls.txt"' if notes else ""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{note}\n{does}\n")
        program.chmod(0o755)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {"PATH": str(self.folder), "CI_STAND_INS": str(self.folder / "stand-ins")}
        return subprocess.run(
            ["/bin/bash", ROOT / ".ci" / "setup"], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_is_there_is_enough(machine: Machine, browser: str) -> None:
    machine.give(browser)
    assert machine.set_up().returncode == 0
    assert machine.calls == []


def test_what_is_missing_is_installed(machine: Machine) -> None:
    machine.give("ldconfig", "echo libc.so.6", notes=False)
    assert machine.set_up().returncode == 0
    assert machine.calls == [APT_UPDATE, f"{APT_INSTALL} chromium", APT_UPDATE, f"{APT_INSTALL} libgomp1"]


def test_who_is_not_root_installs_by_sudo(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.give("sudo", '"$@"')
    machine.set_up()
    assert machine.calls == [
        *(f"sudo {APT_UPDATE}", APT_UPDATE),
        *(f"sudo env DEBIAN_FRONTEND=noninteractive {APT_INSTALL} chromium", f"{APT_INSTALL} chromium"),
    ]


def test_a_package_that_cannot_be_installed_ends_it(machine: Machine) -> None:
    machine.give("apt-get", "exit 100")
    assert machine.set_up().returncode == 100


def test_without_apt_the_missing_package_is_named(machine: Machine) -> None:
    (machine.folder / "apt-get").unlink()
    done = machine.set_up()
    assert done.returncode == 0
    assert "chromium is missing, for the browser tests" in done.stdout


@pytest.mark.parametrize("engine", [None, "exit 1"], ids=["no docker", "engine is down"])
def test_without_docker_it_says_what_is_skipped(machine: Machine, engine: str | None) -> None:
    machine.give("chromium")
    if engine:
        machine.give("docker", engine, notes=False)
    done = machine.set_up()
    assert done.returncode == 0
    assert "the tests of the built functions and of MLflow's machine are skipped" in done.stdout


def test_with_docker_the_base_image_is_pulled(machine: Machine) -> None:
    machine.give("chromium")
    machine.give("docker", '[ "$1" != image ]')
    assert machine.set_up().returncode == 0
    assert machine.calls == ["docker info", f"docker image inspect {IMAGE}", f"docker pull --quiet {IMAGE}"]


def test_an_image_that_is_there_is_not_pulled(machine: Machine) -> None:
    machine.give("chromium")
    machine.give("docker")
    assert machine.set_up().returncode == 0
    assert machine.calls == ["docker info", f"docker image inspect {IMAGE}"]


def test_an_image_that_cannot_be_pulled_ends_it(machine: Machine) -> None:
    machine.give("chromium")
    machine.give("docker", '[ "$1" = info ]', notes=False)
    assert machine.set_up().returncode == 1


def test_a_stand_in_is_used_in_place_of_a_pull(machine: Machine) -> None:
    machine.give("chromium")
    machine.give("docker")
    (machine.folder / "stand-ins").mkdir()
    machine.give("stand-ins/lambda-base-image")
    machine.give("stand-ins/debian-host")
    assert machine.set_up().returncode == 0
    assert machine.calls == [
        "stand-ins/lambda-base-image 3.13",
        *("stand-ins/debian-host up offpath-image", "stand-ins/debian-host down offpath-image"),
    ]
