"""Settings say which variable is wrong, with which value, and what it holds."""

import pytest

from offpath.contracts.errors import SettingsError
from offpath.tracing import TracingSettings

GOOD = {"OFFPATH_QUEUE_URL": "https://sqs.example/1/traces", "OFFPATH_BUCKET": "archive"}


def test_defaults_are_the_documented_ones() -> None:
    settings = TracingSettings.load(GOOD)
    assert settings.delivery == "after_response"
    assert settings.max_message_bytes == 900_000
    assert settings.experiment == "offpath"


def test_an_empty_variable_counts_as_unset() -> None:
    assert TracingSettings.load({**GOOD, "OFFPATH_DELIVERY": ""}).delivery == "after_response"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OFFPATH_DELIVERY", "sometimes"),
        ("OFFPATH_MAX_MESSAGE_BYTES", "lots"),
        ("OFFPATH_MAX_MESSAGE_BYTES", "2000000"),
        ("OFFPATH_QUEUE_URL", "traces"),
        ("OFFPATH_PUBLISH_BUDGET_SECONDS", "-1"),
    ],
)
def test_an_unusable_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        TracingSettings.load({**GOOD, variable: value})
    assert f"{variable}='{value}'" in str(error.value)
    assert "it holds" in str(error.value)


def test_every_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        TracingSettings.load({})
    assert "OFFPATH_QUEUE_URL is not set" in str(error.value)
    assert "OFFPATH_BUCKET is not set" in str(error.value)


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(SettingsError, match=r"x\.\.\.") as error:
        TracingSettings.load({**GOOD, "OFFPATH_DELIVERY": "x" * 500})
    assert len(str(error.value)) < 400


def test_settings_do_not_change() -> None:
    settings = TracingSettings.load(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        settings.bucket = "other"  # type: ignore[misc]
