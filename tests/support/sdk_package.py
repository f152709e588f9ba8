"""The SDK as other teams get it: a wheel in a clean environment, and a layer in Lambda's runtime."""

import os
import platform
import subprocess
import zipfile
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from importlib.metadata import version as version_of
from pathlib import Path

from local.built import runtime_python
from local.sources import ROOT

UV = ROOT / ".venv-tools" / "bin" / "uv"
HERE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
FETCHED = ROOT / ".venv-tools" / "python"


def metadata(wheel: Path) -> Message:
    """Return a wheel's metadata."""
    with zipfile.ZipFile(wheel) as content:
        [name] = [name for name in content.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(content.read(name))


def environment(folder: Path, python: str | Path, packages: Sequence[str | Path], *options: str) -> Path:
    """Make an environment with these packages alone, and what they ask for; return its Python.

    options: for `uv pip install`.
    """
    run([UV, "venv", "--quiet", "--python", python, folder])
    own = folder / "bin" / "python"
    run([UV, "pip", "install", "--quiet", "--python", own, "--only-binary", ":all:", *options, *packages])
    return own


def run(command: Sequence[str | Path]) -> str:
    """Return what a command prints. Raises AssertionError with all of its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def runtime_environment(version: str, folder: Path) -> Path | None:
    """Make an environment of that version that has the runtime client and boto3 alone, as Lambda's has.

    Return its Python, or None if there is no such version here, and uv can fetch none.
    """
    home = runtime_python.find_or_fetch(UV, FETCHED, version)
    if home is None:
        return None
    packages = [f"{name}=={version_of(name)}" for name in ("awslambdaric", "boto3")]
    return environment(folder, home / f"python{version}", packages)


def layer_variables(opt: Path, version: str) -> dict[str, str]:
    """Return the variables by which Lambda puts an unzipped layer on a function's path; nothing is written into it."""
    folders = [opt / "python" / "lib" / f"python{version}" / "site-packages", opt / "python"]
    return {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
