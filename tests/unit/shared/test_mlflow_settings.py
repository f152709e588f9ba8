"""The settings that every process which talks to MLflow has."""

import pytest

from offpath.errors import SettingsError
from offpath.mlflow_settings import MlflowSettings

URL = {"OFFPATH_MLFLOW_URL": "https://mlflow.example.com/"}


def test_an_address_is_enough() -> None:
    assert MlflowSettings.load(URL).mlflow_http().url == "https://mlflow.example.com"


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(MlflowSettings.load({**URL, "OFFPATH_MLFLOW_PASSWORD": "hunter2"}))


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"OFFPATH_MLFLOW_URL": "mlflow.example.com"}, "expected http"),
        ({"OFFPATH_MLFLOW_CA_FILE": "/no/such/file"}, "/no/such/file"),
    ],
)
def test_what_mlflow_cannot_be_reached_with_is_refused(setting: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        MlflowSettings.load(URL | setting).mlflow_http()
