"""The functions as they are deployed: nothing secret in their environment, and MLflow's machine not up yet."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from offpath.contracts.errors import Transient
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.deployment import CA_KEY, Deployment
from tests.support.servers.guarded_mlflow import guarded_mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction
from tests.support.waiting import wait_for
from trace_writer.probe import PROBE_TRACE_ID

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Less than the function's minute, so that it soon stops trying. What is left for the archive and the first try, after
# the time that a fetch may take, is seconds all the same.
SHORT_MILLISECONDS = 14_000


@pytest.fixture
def deployment(tmp_path: Path, s3: S3Client, bucket_name: str) -> Iterator[Deployment]:
    with guarded_mlflow(tmp_path) as mlflow:
        yield Deployment(mlflow, s3, bucket_name)


def deliver(writer: WriterFunction, messages: dict[str, Any]) -> None:
    """Invoke the writer until it has delivered them all: after an outage it leaves MLflow alone for seconds."""
    wait_for(lambda: writer.invoke(messages) == set(), lambda: "the messages stay on the queue")


def traces(deployment: Deployment) -> set[str]:
    """Return the ids of the traces that MLflow was sent, but for that of the writer's probe."""
    sent: set[str] = set().union(*(request.trace_ids for request in deployment.mlflow.stub.requests))
    return sent - {PROBE_TRACE_ID.hex()}


def reasons(log: pytest.LogCaptureFixture) -> str:
    """Return why messages were not delivered, as the function's log has it."""
    return "\n".join(getattr(record, "reason", "") for record in log.records)


def test_the_writer_keeps_every_message_until_mlflows_machine_is_up(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events = {str(number): prediction_event() for number in range(3)}
    messages = {number: inline_message(event) for number, event in events.items()}
    deployment.make_secret()
    writer = WriterFunction(monkeypatch, **deployment.settings)

    assert writer.invoke(messages, SHORT_MILLISECONDS) == set(messages)
    assert f"s3://{deployment.bucket}/{CA_KEY} does not exist" in reasons(caplog)
    assert deployment.mlflow.stub.requests == []

    deployment.publish_ca()
    deliver(writer, messages)
    assert traces(deployment) == {event.trace_id for event in events.values()}


def test_the_writer_keeps_every_message_until_there_is_a_secret(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = prediction_event()
    deployment.publish_ca()
    writer = WriterFunction(monkeypatch, **deployment.settings)

    assert writer.invoke({"1": inline_message(event)}, SHORT_MILLISECONDS) == {"1"}
    assert f"the secret '{deployment.secret}' does not exist" in reasons(caplog)

    deployment.make_secret()
    deliver(writer, {"1": inline_message(event)})
    assert traces(deployment) == {event.trace_id}


def test_writer_starts_no_fetch_too_near_its_deadline(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = WriterFunction(monkeypatch, **deployment.settings)
    assert writer.invoke({"1": inline_message(prediction_event())}, milliseconds=8_500) == {"1"}
    assert reasons(caplog).strip() == "there was no time left to ask MLflow"


def test_writer_survives_a_replaced_machine_and_password(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.make_secret()
    deployment.publish_ca()
    writer = WriterFunction(monkeypatch, **deployment.settings)
    assert writer.invoke({"1": inline_message(prediction_event())}) == set()

    deployment.rotate()
    deployment.mlflow.replace()
    deployment.publish_ca()
    assert writer.invoke({"2": inline_message(prediction_event())}) == set()


def test_sync_names_what_is_missing_until_mlflow_is_up(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployment.settings.items():
        monkeypatch.setenv(f"OFFPATH_{name.upper()}", value)
    sys.modules.pop("model_sync.handler", None)
    sync = importlib.import_module("model_sync.handler").handler
    deployment.make_secret()

    with pytest.raises(Transient, match=f"s3://{deployment.bucket}/{CA_KEY} does not exist"):
        sync({}, None)
    assert "Contents" not in deployment.s3.list_objects_v2(Bucket=deployment.bucket)

    deployment.publish_ca()
    assert wait_for(lambda: report_of(sync), lambda: "the sync fails again and again")["changed"]


def report_of(sync: Callable[[dict[str, Any], None], dict[str, Any]]) -> dict[str, Any] | None:
    """Return an invocation's report once it fails no more: after a failed fetch there is none for some seconds."""
    try:
        return sync({}, None)
    except Transient:
        return None
