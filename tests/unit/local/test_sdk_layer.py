"""Test which files of installed distributions the SDK's layer holds, where they lie, and how large it may be."""

import zipfile
from pathlib import Path, PurePath

import pytest

from local.built.archives import zip_folder
from local.built.sdk_layer import MAX_ZIP_BYTES, assemble, is_needed, report


def install(folder: Path, name: str, pure: bool, files: dict[str, str]) -> None:
    """Lay a distribution's files out as an installer does."""
    info = f"{name}-1.0.dist-info"
    own = {
        f"{info}/METADATA": f"Name: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Root-Is-Purelib: {str(pure).lower()}\n",
        f"{info}/entry_points.txt": "[a_group]\na = b\n",
        f"{info}/licenses/LICENSE": "MIT\n",
        f"{info}/sboms/all.json": "{}",
    }
    record = "".join(f"{file},,\n" for file in (own | files))
    for file, text in (own | files | {f"{info}/RECORD": record}).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A layer's folder `python`, of a pure and of a compiled distribution for two versions of Python."""
    for version in ("3.12", "3.13"):
        install(tmp_path / version, "pure", True, {"pure/__init__.py": "", "pure/py.typed": "", "bin/pure": ""})
        install(tmp_path / version, "compiled", False, {"compiled/core.so": version, "compiled/core.pyi": ""})
        assemble(tmp_path / version, tmp_path / "layer" / "python", version)
    return tmp_path / "layer" / "python"


def test_pure_python_is_there_once(python: Path) -> None:
    info = "pure-1.0.dist-info"
    found = [file for file in files_below(python) if "pure" in file]
    assert found == [f"{info}/METADATA", f"{info}/entry_points.txt", f"{info}/licenses/LICENSE", "pure/__init__.py"]


def test_compiled_code_is_there_for_each_python(python: Path) -> None:
    for version in ("3.12", "3.13"):
        site = python / "lib" / f"python{version}" / "site-packages"
        assert (site / "compiled" / "core.so").read_text() == version
        assert (site / "compiled-1.0.dist-info" / "METADATA").exists()
    assert not (python / "compiled").exists()


@pytest.mark.parametrize(
    ("file", "needed"),
    [
        ("pydantic/main.py", True),
        ("offpath/testing/_queue.py", True),
        ("opentelemetry/semconv/attributes/test_attributes.py", True),
        ("zone/data.json", True),
        ("some-1.dist-info/METADATA", True),
        ("some-1.dist-info/RECORD", False),
        ("some/tests/some.py", False),
        ("annotated_types/test_cases.py", False),
        ("pydantic/py.typed", False),
        ("pydantic/__pycache__/main.cpython-313.pyc", False),
        ("../../bin/some", False),
    ],
)
def test_only_what_a_function_needs_is_kept(file: str, needed: bool) -> None:
    assert is_needed(PurePath(file)) is needed


def test_same_content_makes_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for file in ("b", "a") if name == "two" else ("a", "b"):
            (tmp_path / name / file).write_text(file)
    (tmp_path / "two" / "a").chmod(0o777)
    one, two = (zip_folder(tmp_path / name, tmp_path / f"{name}.zip") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def archive_of(folder: Path, size: int) -> Path:
    """A zip file whose content has that many bytes, and which is not compressed."""
    archive = folder / "layer.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("module.py", bytes(size))
    return archive


def test_sizes_of_a_layer_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(archive_of(tmp_path, 3_000_000)) == 0
    assert capsys.readouterr().out == "layer.zip: 3.00 MB, 3.00 MB unzipped\n"


def test_a_layer_that_is_too_large_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(archive_of(tmp_path, MAX_ZIP_BYTES)) == 1
    assert capsys.readouterr().err == "layer.zip is over 25 MB\n"
