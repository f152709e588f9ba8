"""`python -m local.built.runtime_python UV FOLDER`: print the folder with Python 3.13, the version of Lambda's runtime.

`make build` runs with it, and the SDK's layer is compiled with it and others. The one on the PATH comes first, then the
newest of pyenv, then one that uv fetches into FOLDER.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "3.13"


def main(uv: Path, folder: Path) -> int:
    """Print the folder; 1 if there is no such Python, and none can be fetched."""
    found = find_or_fetch(uv, folder)
    if found is None:
        print(f"make build needs python{VERSION}, the version of Lambda's runtime, on the PATH", file=sys.stderr)  # noqa: T201
        return 1
    print(found)  # noqa: T201
    return 0


def find_or_fetch(uv: Path, folder: Path, version: str = VERSION) -> Path | None:
    """Return the folder of a Python of that version, on this machine or fetched into the folder, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return find(os.environ.get("PATH", ""), pyenv, folder, version) or fetch(uv, folder, version)


def find(search_path: str, pyenv: Path, fetched: Path, version: str = VERSION) -> Path | None:
    """Return the folder of a Python of that version that runs, or None. search_path: folders, separated as in PATH."""
    return _on(search_path, version) or _newest(pyenv / "versions", version) or _newest(fetched, version)


def fetch(uv: Path, folder: Path, version: str = VERSION) -> Path | None:
    """Let uv download that Python into the folder; return where its programs are, or None where that fails."""
    print(f"· fetching python{version} ({folder})", file=sys.stderr)  # noqa: T201
    command = [str(uv), "python", "install", "--no-bin", "--install-dir", str(folder), version]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # it reports on standard error
    return _newest(folder, version)


def _on(search_path: str, version: str) -> Path | None:
    """A program of that name may be pyenv's shim, which runs only while pyenv has that version selected."""
    program = shutil.which(f"python{version}", path=search_path)
    if program is None or subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return Path(program).absolute().parent


def _newest(versions: Path, version: str) -> Path | None:
    """Folders have the names that pyenv and uv give them: 3.13.1, and cpython-3.13.1-linux-x86_64-gnu."""
    found = [*versions.glob(f"{version}.*"), *versions.glob(f"cpython-{version}.*")]
    folders = [path / "bin" for path in found if (path / "bin" / f"python{version}").exists()]
    return max(folders, key=lambda path: [int(number) for number in re.findall(r"\d+", path.parent.name)], default=None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
