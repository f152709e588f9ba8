"""Put bytecode into the SDK's layer: Lambda mounts it read-only, so that each cold start would compile what it imports.

A file of bytecode is of one Python alone: `x.cpython-313.pyc`. It is never held against its source (PEP 552,
unchecked-hash), as unzipping gives files other times, and nothing changes them in Lambda.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.built import runtime_python

PYTHONS = ("3.12", "3.13")
MOUNTED = "/opt"  # where Lambda unzips layers; bytecode has its source's path within it
# Sets are written in the order of their hashes. Other variables, such as PYTHONOPTIMIZE, have no say.
ENVIRON = {"PYTHONHASHSEED": "0"}


def interpreters(uv: Path, fetched: Path) -> dict[str, Path]:
    """Return the program of each Python to compile with by its version; say which ones cannot be had.

    fetched: the folder that uv fetches into what this machine does not have.
    """
    found = {version: runtime_python.find_or_fetch(uv, fetched, version) for version in PYTHONS}
    for version in [version for version, folder in found.items() if folder is None]:
        print(f"python{version} cannot be had: the layer holds no bytecode for it", file=sys.stderr)  # noqa: T201
    return {version: folder / f"python{version}" for version, folder in found.items() if folder}


def compile_layer(layer: Path, programs: Mapping[str, Path]) -> None:
    """Write bytecode beside what each of these Pythons imports of an unzipped layer. Raises CalledProcessError.

    programs: by version, such as 3.13. The same content, compiled by the same Pythons, makes the same bytecode.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(layer), "-p", MOUNTED]
    for version, program in programs.items():
        command = [str(program), "-m", "compileall", *options, *map(str, _imported(layer / "python", version))]
        subprocess.run(command, env=ENVIRON, check=True)


def _imported(python: Path, version: str) -> list[Path]:
    """Return what lies in the layer's folder `python` for every version, and the folder for this one, in an order."""
    pure = sorted(path for path in python.iterdir() if path.name != "lib" and (path.is_dir() or path.suffix == ".py"))
    compiled = python / "lib" / f"python{version}"
    return [*pure, compiled] if compiled.exists() else pure
