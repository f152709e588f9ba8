"""The writer starts with usable settings, or says which one is not."""

import pytest

from offpath.contracts.errors import SettingsError
from trace_writer.settings import WriterSettings

LEAST = {"OFFPATH_BUCKET": "archive", "OFFPATH_MLFLOW_URL": "http://127.0.0.1:5000"}


def test_bucket_and_mlflow_are_enough() -> None:
    settings = WriterSettings.load(LEAST)
    assert (settings.mlflow_timeout_seconds, settings.max_post_bytes, settings.mlflow_username) == (
        30.0,
        8_000_000,
        None,
    )


def test_a_password_is_not_shown() -> None:
    settings = WriterSettings.load({**LEAST, "OFFPATH_MLFLOW_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OFFPATH_BUCKET", ""),
        ("OFFPATH_MLFLOW_URL", ""),
        ("OFFPATH_MLFLOW_TIMEOUT_SECONDS", "0"),
        ("OFFPATH_MAX_POST_BYTES", "much"),
    ],
)
def test_an_unusable_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        WriterSettings.load({**LEAST, name: value})
