"""The build finds the Python of Lambda's runtime."""

import os
import stat
from pathlib import Path

import pytest

from local.built import runtime_python

NOWHERE = Path("/nonexistent")


def program(path: Path, script: str) -> Path:
    """An executable shell script at that path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python(folder: Path, script: str = "exit 0") -> Path:
    """The folder, with a python3.13 in it."""
    return program(folder / "python3.13", script).parent


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    """A folder of pyenv's with three versions."""
    for version in ("3.12.1", "3.13.2", "3.13.10"):
        python(tmp_path / "pyenv" / "versions" / version / "bin")
    return tmp_path / "pyenv"


def test_the_one_on_the_path_comes_first(tmp_path: Path, pyenv: Path) -> None:
    folder = python(tmp_path / "bin")
    assert runtime_python.find(str(folder), pyenv, NOWHERE) == folder


def test_one_that_does_not_run_is_passed_over(tmp_path: Path, pyenv: Path) -> None:
    shims = python(tmp_path / "shims", "exit 127")
    assert runtime_python.find(str(shims), pyenv, NOWHERE) == pyenv / "versions" / "3.13.10" / "bin"


def test_a_version_without_its_program_is_passed_over(pyenv: Path) -> None:
    (pyenv / "versions" / "3.13.10" / "bin" / "python3.13").unlink()
    assert runtime_python.find("", pyenv, NOWHERE) == pyenv / "versions" / "3.13.2" / "bin"


def test_one_that_was_fetched_before_is_found(tmp_path: Path) -> None:
    folder = python(tmp_path / "cpython-3.13.4-linux-x86_64-gnu" / "bin")
    assert runtime_python.find("", NOWHERE, tmp_path) == folder


def test_without_any_it_is_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "fetched"
    target = folder / "cpython-3.13.4-linux-x86_64-gnu" / "bin"
    uv = program(tmp_path / "uv", f'echo "$@" >"{tmp_path}/asked"; mkdir -p "{target}"; touch "{target}/python3.13"')
    assert runtime_python.fetch(uv, folder) == target
    assert (tmp_path / "asked").read_text().split() == [
        *("python", "install", "--no-bin", "--install-dir", str(folder), "3.13"),
    ]


def test_what_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYENV_ROOT", str(NOWHERE))
    uv = program(tmp_path / "uv", "exit 2")
    assert runtime_python.main(uv, tmp_path) == 1
    assert "make build needs python3.13" in capsys.readouterr().err


def test_the_folder_alone_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = python(tmp_path / "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    assert runtime_python.main(NOWHERE, NOWHERE) == 0
    assert capsys.readouterr().out == f"{folder}\n"
