"""The SDK's layer gets bytecode of the Pythons that are there, and the build says which are not."""

import importlib.util
import sys
from pathlib import Path

import pytest

from local.built.bytecode import compile_layer, interpreters

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
UNCHECKED = 0b01  # PEP 552: bytecode of a hash that is not compared


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer with a package, a module, and what is compiled for two Pythons."""
    for file in ("package/part.py", "module.py", f"lib/python{RUNNING}/site-packages/a.py", "lib/python3.1/b.py"):
        path = tmp_path / "python" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("VALUE = {'a', 'b', 'c'}\n")
    return tmp_path


def sources(layer: Path) -> list[str]:
    """The names of the modules that there is bytecode of."""
    return sorted(path.name.partition(".")[0] for path in layer.rglob("*.pyc"))


def test_what_a_python_imports_has_bytecode_beside_it(layer: Path) -> None:
    compile_layer(layer, {RUNNING: Path(sys.executable)})
    assert sources(layer) == ["a", "module", "part"]
    source = layer / "python" / "package" / "part.py"
    assert Path(importlib.util.cache_from_source(str(source))).exists()


def test_bytecode_is_never_held_against_its_source(layer: Path) -> None:
    compile_layer(layer, {RUNNING: Path(sys.executable)})
    flags = [int.from_bytes(path.read_bytes()[4:8], "little") for path in layer.rglob("*.pyc")]
    assert flags == [UNCHECKED] * 3


def test_bytecode_names_its_source_where_lambda_has_it(layer: Path) -> None:
    compile_layer(layer, {RUNNING: Path(sys.executable)})
    [path] = layer.rglob("part.*.pyc")
    assert b"/opt/python/package/part.py" in path.read_bytes()


def test_without_a_python_nothing_is_compiled(layer: Path) -> None:
    compile_layer(layer, {})
    assert sources(layer) == []


def test_a_python_that_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python3.13"
    program.write_text("#!/bin/sh\n")
    fetches_none = tmp_path / "uv"
    fetches_none.write_text("#!/bin/sh\nexit 2\n")
    for file in (program, fetches_none):
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", "/nonexistent")
    assert interpreters(fetches_none, tmp_path / "fetched") == {"3.13": program}
    assert "python3.12 cannot be had: the layer holds no bytecode for it\n" in capsys.readouterr().err
