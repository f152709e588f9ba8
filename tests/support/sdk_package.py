"""The SDK as other teams get it: a wheel in a clean environment."""

import subprocess
import zipfile
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from local.sources import ROOT

UV = ROOT / ".venv-tools" / "bin" / "uv"


def metadata(wheel: Path) -> Message:
    """What a wheel says of itself."""
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
    """What a command prints; AssertionError with all that it said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
