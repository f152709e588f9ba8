"""The function as Lambda starts it."""

import pytest

from offpath.contracts.errors import SettingsError
from offpath.contracts.message import Message
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.mlflow_stub import stub_mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction


def test_it_delivers_and_reports(bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = prediction_event()
    with stub_mlflow() as stub:
        function = WriterFunction(
            monkeypatch, bucket=bucket_name, mlflow_url=stub.url, mlflow_username="writer", mlflow_password="s3cret"
        )

        assert function.invoke({"1": inline_message(event), "2": Message("not json", {})}) == {"2"}

    assert stub.requests[-1].trace_ids == {event.trace_id}


def test_with_no_time_left_everything_stays_on_the_queue(bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with stub_mlflow() as stub:
        function = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=stub.url)

        assert function.invoke({"1": inline_message(prediction_event())}, milliseconds=1500) == {"1"}

    assert stub.requests == []


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"bucket": "archive"}, "OFFPATH_MLFLOW_URL is not set"),
        ({"bucket": "archive", "mlflow_url": "mlflow.example.com"}, "MLflow URL"),
        ({"bucket": "archive", "mlflow_url": "https://mlflow", "mlflow_ca_file": "/no/such/file"}, "/no/such/file"),
        (
            {"bucket": "archive", "mlflow_url": "https://m", "mlflow_secret": "s", "mlflow_username": "u"},
            "both OFFPATH",
        ),
    ],
)
def test_it_does_not_start_with_settings_it_cannot_use(
    settings: dict[str, str], complaint: str, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        WriterFunction(monkeypatch, **settings)
