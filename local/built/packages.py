"""Compile what `sam build` built, and print its sizes: `python -m local.built.packages FOLDER`.

Lambda's code folder is read-only: without compiled bytecode every cold start compiles all it imports.
"""

import subprocess
import sys
from pathlib import Path

PYTHON = "python3.13"
LAYER = "SharedLayer"
# Lambda takes 250 MB unzipped, function and layers together (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
MAX_BYTES = 200_000_000


def main(folder: Path, python: str = PYTHON) -> int:
    """Compile, print the size of each function with its layer, and return the exit code.

    It is 1 if a function is over the limit, or nothing was built.
    """
    packages = sorted(path for path in folder.glob("*") if path.is_dir())
    if not packages:
        print(f"there is nothing in {folder}: run sam build first", file=sys.stderr)  # noqa: T201
        return 1
    compile_all(packages, python)
    sizes = {path.name: size_of(path) for path in packages}
    layer = sizes.pop(LAYER, 0)
    for name, size in sizes.items():
        print(f"{name:20} {size / 1e6:6.1f} MB, with its layer {(size + layer) / 1e6:6.1f} MB")  # noqa: T201
    too_large = [name for name, size in sizes.items() if size + layer > MAX_BYTES]
    if too_large:
        print(f"over {MAX_BYTES / 1e6:.0f} MB: {', '.join(too_large)}", file=sys.stderr)  # noqa: T201
    return 1 if too_large else 0


def compile_all(folders: list[Path], python: str) -> None:
    """Write bytecode beside every source, valid whatever the files' times: nothing changes them in Lambda."""
    command = [python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, *map(str, folders)], check=True)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
