"""`python -m local.built.runtime_python UV FOLDER`: print the folder with Python 3.13, the version of Lambda's runtime.

Only `make build` runs with it. The one on the PATH comes first, then the newest of pyenv, then one that uv fetches into
FOLDER.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "python3.13"


def main(uv: Path, folder: Path) -> int:
    """Print the folder; 1 if there is no such Python, and none can be fetched."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = find(os.environ.get("PATH", ""), pyenv, folder) or fetch(uv, folder)
    if found is None:
        print(f"make build needs {NAME}, the version of Lambda's runtime, on the PATH", file=sys.stderr)  # noqa: T201
        return 1
    print(found)  # noqa: T201
    return 0


def find(search_path: str, pyenv: Path, fetched: Path) -> Path | None:
    """Return the folder of a Python 3.13 that runs, or None. search_path: folders, separated as in PATH."""
    return _on(search_path) or _newest(pyenv / "versions", "3.13.*") or _newest(fetched, "cpython-3.13.*")


def fetch(uv: Path, folder: Path) -> Path | None:
    """Let uv download Python 3.13 into the folder; return where its programs are, or None where that fails."""
    print(f"· fetching {NAME} ({folder})", file=sys.stderr)  # noqa: T201
    command = [str(uv), "python", "install", "--no-bin", "--install-dir", str(folder), "3.13"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # it reports on standard error
    return _newest(folder, "cpython-3.13.*")


def _on(search_path: str) -> Path | None:
    """A program of that name may be pyenv's shim, which runs only while pyenv has that version selected."""
    program = shutil.which(NAME, path=search_path)
    if program is None or subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return Path(program).absolute().parent


def _newest(versions: Path, pattern: str) -> Path | None:
    folders = [path / "bin" for path in versions.glob(pattern) if (path / "bin" / NAME).exists()]
    return max(folders, key=lambda path: [int(number) for number in re.findall(r"\d+", path.parent.name)], default=None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
