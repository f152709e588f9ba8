"""Build the wheel of the SDK, and print its sizes: `python -m local.built.sdk_wheel UV FOLDER`."""

import subprocess
import sys
import zipfile
from pathlib import Path

import offpath
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


def sizes(archive: Path) -> str:
    """Return a line with the archive's name and its sizes. archive: a wheel, or another zip file."""
    with zipfile.ZipFile(archive) as content:
        unzipped = sum(entry.file_size for entry in content.infolist())
    return f"{archive.name}: {archive.stat().st_size / 1e6:.2f} MB, {unzipped / 1e6:.2f} MB unzipped"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
