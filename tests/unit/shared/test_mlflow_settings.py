"""The settings that every process which talks to MLflow has."""

import traceback
import uuid
from pathlib import Path

import pytest

from offpath.contracts.errors import SettingsError
from offpath.mlflow.connect import connect, longest_fetch_seconds
from offpath.mlflow.settings import MlflowSettings

LEAST = {"OFFPATH_BUCKET": "archive", "OFFPATH_MLFLOW_URL": "https://mlflow.example.com/"}
SECRET = {"OFFPATH_MLFLOW_SECRET": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mlflow-AbCdEf"}
CA_KEY = {"OFFPATH_MLFLOW_CA_KEY": "mlflow/ca.pem"}


def test_an_address_and_a_bucket_are_enough() -> None:
    settings = MlflowSettings.load(LEAST)
    assert connect(settings).url == "https://mlflow.example.com"
    assert longest_fetch_seconds(settings) == 0


@pytest.mark.parametrize("given", [SECRET, CA_KEY, SECRET | CA_KEY])
def test_what_is_fetched_is_not_fetched_at_the_start(given: dict[str, str]) -> None:
    settings = MlflowSettings.load(LEAST | given)  # the network is shut here, and no such secret or key exists
    assert connect(settings).url == "https://mlflow.example.com"
    assert longest_fetch_seconds(settings) > 0


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(MlflowSettings.load({**LEAST, "OFFPATH_MLFLOW_PASSWORD": "hunter2"}))


@pytest.mark.parametrize(
    ("given", "rival"),
    [
        (SECRET, "OFFPATH_MLFLOW_USERNAME"),
        (SECRET, "OFFPATH_MLFLOW_PASSWORD"),
        (CA_KEY, "OFFPATH_MLFLOW_CA_FILE"),
    ],
)
def test_two_settings_of_the_same_thing_are_refused(given: dict[str, str], rival: str) -> None:
    with pytest.raises(SettingsError, match=f"both {next(iter(given))} and {rival} are set"):
        MlflowSettings.load(LEAST | given | {rival: "something"})


def test_secret_and_ca_key_combine_with_file_and_password() -> None:
    assert MlflowSettings.load(LEAST | SECRET | {"OFFPATH_MLFLOW_CA_FILE": "/etc/ca.pem"}).mlflow_secret
    assert MlflowSettings.load(LEAST | CA_KEY | {"OFFPATH_MLFLOW_USERNAME": "writer"}).mlflow_ca_key


@pytest.mark.parametrize("trouble", [SECRET, {"OFFPATH_MLFLOW_TIMEOUT_SECONDS": "0"}, {"OFFPATH_BUCKET": ""}])
def test_a_start_that_fails_leaves_no_password_in_the_log(trouble: dict[str, str]) -> None:
    password = uuid.uuid4().hex[:8]  # pydantic quotes the ends of a long value
    with pytest.raises(SettingsError) as refusal:
        MlflowSettings.load(LEAST | trouble | {"OFFPATH_MLFLOW_PASSWORD": password})
    assert password not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("url", ["mlflow.example.com", "ftp://mlflow.example.com"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="expected http"):
        connect(MlflowSettings.load(LEAST | {"OFFPATH_MLFLOW_URL": url}))


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_a_ca_file_that_cannot_be_used_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"{path}' cannot be used: .*; expected certificates in PEM"):
        connect(MlflowSettings.load(LEAST | {"OFFPATH_MLFLOW_CA_FILE": str(path)}))
