"""A tracing that records puts together the same events as the one that `install` sets up, which sends them to SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import offpath
from offpath.aws.s3 import S3Claims
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message
from offpath.testing import InMemoryBucket, RecordingTracing
from offpath.tracing import new_provider

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Traced = tuple[offpath.Tracing, Callable[[], list[TraceEvent]]]


@pytest.fixture(params=["recording", "installed"])
def traced(request: pytest.FixtureRequest) -> Iterator[Traced]:
    """A tracing, and the events that have left it."""
    if request.param == "recording":
        with RecordingTracing("fraud-api") as recording:
            yield recording, lambda: recording.events
        return
    url: str = request.getfixturevalue("queue_url")
    client: SQSClient = request.getfixturevalue("sqs")
    environ = {"OFFPATH_QUEUE_URL": url, "OFFPATH_BUCKET": "archive", "OFFPATH_DELIVERY": "before_response"}
    provider: TracerProvider = new_provider("fraud-api")
    installed = offpath.install(environ, service_name="fraud-api", provider=provider)
    yield installed, lambda: _received(client, url)
    installed.shutdown()


def _received(client: SQSClient, url: str) -> list[TraceEvent]:
    """Take the events off the queue, the first first."""
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    messages = [
        Message(found["Body"], {name: value["StringValue"] for name, value in found["MessageAttributes"].items()})
        for found in answer.get("Messages", [])
    ]
    events = [decode_message(message, S3Claims(InMemoryBucket())) for message in messages]
    return sorted(events, key=lambda event: min(span["startTimeUnixNano"] for span in _spans(event)))


def _spans(event: TraceEvent) -> list[dict[str, str]]:
    groups = json.loads(event.body)["resourceSpans"]
    return [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]


def test_each_ended_trace_is_one_event_with_its_spans(traced: Traced) -> None:
    tracing, events = traced
    tracer = tracing.tracer("test")
    for name in ("first", "second"):
        with tracer.start_as_current_span(name), tracer.start_as_current_span("child"):
            pass
    assert [[span["name"] for span in _spans(event)] for event in events()] == [["child", "first"], ["child", "second"]]


def test_spans_of_the_providers_tracers_join_the_trace(traced: Traced) -> None:
    tracing, events = traced
    with tracing.tracer("test").start_as_current_span("root"):
        tracing.provider.get_tracer("library").start_span("query").end()
    [event] = events()
    assert {span["name"] for span in _spans(event)} == {"root", "query"}
    assert {span["traceId"] for span in _spans(event)} == {event.trace_id}


def test_the_experiment_is_the_roots_or_the_default(traced: Traced) -> None:
    tracing, events = traced
    tracing.tracer("test").start_span("a").end()
    tracing.tracer("test").start_span("b", attributes={offpath.attributes.EXPERIMENT: "offpath/iris"}).end()
    assert [event.experiment for event in events()] == ["offpath", "offpath/iris"]


def test_decorated_functions_are_traced_by_it(traced: Traced) -> None:
    _, events = traced

    @offpath.traced
    def predict() -> bool:
        return trace.get_current_span().is_recording()

    assert predict()
    [event] = events()
    assert [span["name"] for span in _spans(event)] == ["predict"]


def test_a_handler_that_is_wrapped_answers_as_before(traced: Traced) -> None:
    tracing, events = traced

    @tracing.lambda_handler
    def handler(event: str, context: object) -> str:
        with tracing.tracer("test").start_as_current_span("handler"):
            return event.upper()

    assert handler("a", None) == "A"
    assert len(events()) == 1


def test_a_flush_and_a_shutdown_end_in_time(traced: Traced) -> None:
    tracing, _ = traced
    tracing.add_periodic_task(lambda: None)
    tracing.tracer("test").start_span("root").end()
    assert tracing.provider.force_flush()
    assert tracing.shutdown()
