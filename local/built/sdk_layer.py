"""Build the Lambda layer of the SDK, and print its sizes.

`python -m local.built.sdk_layer UV ARCHITECTURE FOLDER PYTHONS`, where PYTHONS is the folder that Pythons are fetched
into.

FOLDER gets `layer`, which template.yaml names, and the same as a zip file. Lambda puts a layer's folders `python` and
`python/lib/python3.X/site-packages` on the path of a function of Python 3.X. So what is pure Python lies in the first,
once, and what is compiled in the second, once for each version. Bytecode lies beside its source.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath

import offpath
from local.built import bytecode
from local.built.archives import sizes, zip_folder
from local.built.sdk_wheel import build as build_wheel
from local.sources import ROOT

REQUIREMENTS = ROOT / "layers" / "sdk" / "requirements.txt"
PYTHONS = ("3.12", "3.13", "3.14")
PLATFORMS = {"x86_64": "x86_64-manylinux2014", "arm64": "aarch64-manylinux2014"}
MAX_ZIP_BYTES = 25_000_000
# What importlib.metadata is asked for at run time, and what the licences ask for.
KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})
NOT_AT_RUN_TIME = frozenset({".pyi", ".typed", ".pyc"})
TESTS = frozenset({"tests", "test_cases.py"})


def main(uv: Path, architecture: str, folder: Path, pythons: Path) -> int:
    """Build, print the sizes, and return the exit code."""
    return report(build(uv, architecture, folder, bytecode.interpreters(uv, pythons)))


def report(archive: Path) -> int:
    """Print the sizes of a layer's zip file, and return the exit code: 1 for one that is too large."""
    print(sizes(archive))  # noqa: T201
    if archive.stat().st_size > MAX_ZIP_BYTES:
        print(f"{archive.name} is over {MAX_ZIP_BYTES / 1e6:.0f} MB", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def build(uv: Path, architecture: str, folder: Path, interpreters: Mapping[str, Path]) -> Path:
    """Build `layer` and the zip file in the folder; return the latter. Raises CalledProcessError.

    architecture: x86_64 or arm64. interpreters: the Pythons to add bytecode for, by version.
    """
    layer = folder / "layer"
    shutil.rmtree(layer, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(uv, Path(scratch) / "wheel")
        for version in PYTHONS:
            installed = Path(scratch) / version
            for packages in (["--require-hashes", "-r", str(REQUIREMENTS)], [str(wheel)]):
                _install(uv, packages, installed, version, PLATFORMS[architecture])
            assemble(installed, layer / "python", version)
    bytecode.compile_layer(layer, interpreters)
    return zip_folder(layer, folder / f"offpath-layer-{offpath.__version__}-{architecture}.zip")


def _install(uv: Path, packages: Sequence[str], folder: Path, version: str, platform: str) -> None:
    """Install wheels, without what they ask for, as they are for that version and platform."""
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder), "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", version, "--python-platform", platform, *packages]
    subprocess.run(command, check=True)


def assemble(installed: Path, python: Path, version: str) -> None:
    """Copy what a function needs of the installed distributions to the layer's folder `python`.

    installed: a folder with distributions for that version of Python, such as 3.13.
    """
    for distribution in distributions(path=[str(installed)]):
        target = python if _is_pure(distribution) else python / "lib" / f"python{version}" / "site-packages"
        for file in filter(is_needed, distribution.files or ()):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(installed / file, target / file)


def is_needed(file: PurePath) -> bool:
    """Tell whether a function needs this file of a distribution. file: relative to where it is installed."""
    if file.parts[0].endswith(".dist-info"):
        return file.name in KEPT_METADATA or "licenses" in file.parts
    return file.suffix not in NOT_AT_RUN_TIME and file.parts[0] not in {"..", "bin"} and TESTS.isdisjoint(file.parts)


def _is_pure(distribution: Distribution) -> bool:
    return "Root-Is-Purelib: true" in (distribution.read_text("WHEEL") or "")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
