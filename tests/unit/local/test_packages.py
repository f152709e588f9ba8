"""Test that packages are compiled, and their sizes printed."""

import sys
from pathlib import Path

import pytest

from local.built import packages


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("ApiFunction", "SharedLayer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("VALUE = 1\n")
    return tmp_path


def test_a_function_is_weighed_with_its_layer(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "ApiFunction" / "weights").write_bytes(bytes(2_000_000))
    (built / "SharedLayer" / "weights").write_bytes(bytes(1_000_000))
    assert packages.main(built, python=sys.executable) == 0
    assert "ApiFunction             2.0 MB, with its layer    3.0 MB" in capsys.readouterr().out


def test_bytecode_lies_beside_every_source(built: Path) -> None:
    packages.main(built, python=sys.executable)
    assert [path.parent.parent.name for path in sorted(built.rglob("*.pyc"))] == ["ApiFunction", "SharedLayer"]


def test_what_lambda_would_not_take_fails(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (built / "ApiFunction" / "weights").open("wb") as file:
        file.truncate(packages.MAX_BYTES)
    assert packages.main(built, python=sys.executable) == 1
    assert "over 200 MB: ApiFunction" in capsys.readouterr().err


def test_nothing_built_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert packages.main(tmp_path, python=sys.executable) == 1
    assert "run sam build first" in capsys.readouterr().err
