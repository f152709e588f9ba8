"""Build the wheel of the SDK, and print its sizes: `python -m local.built.sdk_wheel UV FOLDER`."""

import subprocess
import sys
from pathlib import Path

import offpath
from local.built.archives import sizes
from local.sources import ROOT

SOURCE = ROOT / "layers" / "shared"


def main(uv: Path, folder: Path) -> int:
    """Build, print the sizes, and return the exit code."""
    print(sizes(build(uv, folder)))  # noqa: T201
    return 0


def build(uv: Path, folder: Path) -> Path:
    """Build the wheel into the folder, and return it. Raises CalledProcessError, after uv has said what is wrong."""
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", folder, SOURCE], check=True)
    return folder / f"offpath-{offpath.__version__}-py3-none-any.whl"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
