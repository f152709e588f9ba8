"""Test that a wrong option is refused in one line, before anything is read or asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from offpath_cli.app import app
from offpath_cli.errors import ModelRefused
from offpath_cli.register.registration_spec import RegistrationSpec, check_spec

GIVEN = ["register", "model.onnx", "--name", "m", "--tracking-uri", "http://127.0.0.1:9"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not looked at")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "300", **environment})
    return done.exit_code, done.output


def test_the_commands_are_listed() -> None:
    code, output = run("--help")
    assert code == 0
    assert "register" in output
    assert "Register a model of your own" in output


def test_every_option_is_explained() -> None:
    _, output = run("register", "--help")
    for option in (
        "--name",
        "--alias",
        "--task",
        "--labels",
        "--example",
        "--tracking-uri",
        "--description",
        "--opset",
    ):
        assert option in output


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--name", "a/b"], "--name 'a/b': MLflow takes any name without / and :"),
        (["--name", " "], "--name ' ': MLflow takes any name"),
        (["--name", ".."], "--name '..': MLflow takes any name"),
        (["--alias", "v1"], "alias 'v1': expected letters, digits, - and _"),
        (["--task", "clustering"], "--task 'clustering': expected classification or regression"),
        (["--labels", "one"], "--labels 'one': expected two or more different names"),
        (["--labels", "a,,b"], "--labels 'a,,b': expected two or more different names"),
        (["--labels", "a,a"], "--labels 'a,a': expected two or more different names"),
        (["--labels", "a,b", "--task", "regression"], "--labels a,b: a regression has no labels"),
        (["--example", "gone.json"], "--example gone.json: there is no such file"),
        (["--tracking-uri", "databricks"], "tracking URI 'databricks': expected the http(s)"),
    ],
)
def test_an_option_that_cannot_be_used(more: list[str], complaint: str) -> None:
    code, output = run(*GIVEN, *more)
    assert (code, output.count("\n")) == (1, 1)
    assert f"error: {complaint}" in output or complaint in output


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("gone.onnx", "there is no file 'gone.onnx'"),
        ("models:/m", "'models:/m' names no model: expected an .onnx file, or models:/NAME/VERSION"),
        ("s3://bucket/model.onnx", "'s3://bucket/model.onnx' names no model"),
        (".", "the folder '.' holds no MLmodel file"),
    ],
)
def test_a_source_that_is_none(source: str, complaint: str) -> None:
    code, output = run("register", source, "--name", "m")
    assert code == 1
    assert f"error: {complaint}" in output


def test_a_limit_that_is_none() -> None:
    code, output = run(*GIVEN, OFFPATH_MAX_MODEL_BYTES="lots")
    assert code == 1
    assert "error: OFFPATH_MAX_MODEL_BYTES='lots': expected a number of bytes" in output


def test_a_name_has_to_be_given() -> None:
    code, output = run("register", "model.onnx")
    assert code == 2
    assert "Missing option '--name'" in output


@pytest.mark.parametrize(("length", "is_taken"), [(245, True), (246, False), (300, False)])
def test_names_are_as_long_as_mlflow_takes_them(length: int, is_taken: bool) -> None:
    spec = RegistrationSpec("models:/m/1", "é" * length, "http://127.0.0.1:5000")
    if is_taken:
        check_spec(spec)
    else:
        with pytest.raises(ModelRefused, match=f"it has {length} characters, and MLflow takes 245"):
            check_spec(spec)
