"""Batches of SQS messages through the handler into S3 and a real MLflow, over SQLite and over PostgreSQL."""

import gzip
import json
import uuid
from typing import TYPE_CHECKING

import pytest
from opentelemetry.propagate import inject
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context

from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import RecordingTracing
from offpath.tracing._tracing import TracingChoices
from tests.support.builders.trace_events import (
    as_event,
    claimed,
    ended_spans,
    inline_message,
    prediction_event,
)
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def experiment() -> str:
    return f"offpath/{uuid.uuid4().hex}"


def numbered(*events: TraceEvent) -> dict[str, Message]:
    """A message of each event, with its position as the id."""
    return {str(index): inline_message(event) for index, event in enumerate(events)}


def archived(s3: "S3Client", bucket_name: str) -> list[str]:
    """Every line of the archive."""
    bucket = Bucket(s3, bucket_name)
    objects = [gzip.decompress(bucket.get(key)).decode() for key in bucket.keys("archive/v1/date=")]
    return [line for content in objects for line in content.splitlines()]


def test_batch_of_two_experiments_reaches_mlflow_and_archive(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str, s3: "S3Client", bucket_name: str
) -> None:
    good, bad = prediction_event(experiment), prediction_event(f"{experiment}-2", failed=True)

    assert each_writer.invoke(numbered(good, bad)) == set()

    trace = each_mlflow.trace(good.trace_id)
    assert (trace["state"], trace["request_preview"], trace["response_preview"]) == (
        "OK",
        '{"petal_length": 1.4}',
        '{"label": "setosa"}',
    )
    assert {"model": "iris", "model_version": "3", "mlflow.traceName": "iris"}.items() <= trace["tags"].items()
    assert sorted(span["name"] for span in each_mlflow.spans(good.trace_id)) == ["POST /predict", "model", "validate"]
    assert each_mlflow.trace(bad.trace_id)["state"] == "ERROR"
    assert each_mlflow.trace_ids(experiment) == {good.trace_id}
    assert each_mlflow.trace_ids(f"{experiment}-2") == {bad.trace_id}
    assert archived(s3, bucket_name) == [good.body, bad.body]


def test_a_batch_delivered_twice_leaves_each_trace_once(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str, s3: "S3Client", bucket_name: str
) -> None:
    event = prediction_event(experiment)
    messages = {"1": inline_message(event), "2": inline_message(event)}

    assert each_writer.invoke(messages) == set()
    assert each_writer.invoke(messages) == set()

    assert each_mlflow.trace_ids(experiment) == {event.trace_id}
    assert len(each_mlflow.spans(event.trace_id)) == 3
    assert set(archived(s3, bucket_name)) == {event.body}


def test_two_messages_of_one_trace_become_one_trace(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str
) -> None:
    event = prediction_event(experiment)
    document = json.loads(event.body)
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    parts = []
    for part in (spans[:2], spans[1:]):  # with one span in both
        document["resourceSpans"][0]["scopeSpans"][0]["spans"] = part
        parts.append(TraceEvent(event.trace_id, experiment, json.dumps(document)))

    assert each_writer.invoke(numbered(*parts)) == set()

    assert each_mlflow.trace_ids(experiment) == {event.trace_id}
    assert len(each_mlflow.spans(event.trace_id)) == 3
    assert each_mlflow.trace(event.trace_id)["state"] == "OK"


def test_messages_that_are_no_traces_stop_no_other(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str, s3: "S3Client", bucket_name: str
) -> None:
    claims = S3Claims(Bucket(s3, bucket_name))
    good, large = prediction_event(experiment), prediction_event(experiment)
    lost, altered = claimed(prediction_event(experiment), claims), claimed(prediction_event(experiment), claims)
    Bucket(s3, bucket_name).delete(json.loads(lost.body)["key"])
    claims.put(json.loads(altered.body)["key"], b"other")
    messages = {
        "not-json": Message("not json", inline_message(good).attributes),
        "schema": inline_message(good, schema="otlp-json/9"),
        "lost": lost,
        "altered": altered,
        "empty": Message('{"resourceSpans": []}', inline_message(good).attributes),
        "good": inline_message(good),
        "large": claimed(large, claims),
    }

    assert each_writer.invoke(messages) == {"not-json", "schema", "lost", "altered", "empty"}

    assert each_mlflow.trace_ids(experiment) == {good.trace_id, large.trace_id}
    assert archived(s3, bucket_name) == [good.body, large.body]


def test_a_trace_that_continues_a_callers_is_complete(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str
) -> None:
    caller = SpanContext(uuid.uuid4().int, 0xDEF, is_remote=True, trace_flags=TraceFlags(1))

    def work(tracer: Tracer) -> None:
        attributes = {"mlflow.spanInputs": '{"a": 1}', "mlflow.traceTag.model": "iris"}
        context = set_span_in_context(NonRecordingSpan(caller))
        tracer.start_span("root", context=context, attributes=attributes).end()

    event = as_event(ended_spans(work), experiment)

    assert each_writer.invoke(numbered(event)) == set()

    trace = each_mlflow.trace(event.trace_id)
    assert (trace["state"], trace["request_preview"], trace["tags"]["model"]) == ("OK", '{"a": 1}', "iris")


def test_text_with_nul_characters_is_delivered(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str
) -> None:
    chat = json.dumps({"messages": [{"role": "user", "content": "a\0b"}]})
    events = [prediction_event(experiment, name="a\0b"), prediction_event(experiment, {"mlflow.spanInputs": chat})]

    assert each_writer.invoke(numbered(*events)) == set()

    assert each_mlflow.trace_ids(experiment) == {event.trace_id for event in events}


def test_a_deleted_experiment_is_restored(
    each_mlflow: Mlflow, experiment: str, bucket_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = prediction_event(experiment), prediction_event(experiment)
    assert WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=each_mlflow.url).invoke(numbered(before)) == set()
    each_mlflow.delete_experiment(experiment)

    restarted = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=each_mlflow.url)
    assert restarted.invoke(numbered(after)) == set()

    assert each_mlflow.experiment(experiment)["lifecycle_stage"] == "active"
    assert each_mlflow.trace_ids(experiment) == {before.trace_id, after.trace_id}


def called(choices: TracingChoices, headers: dict[str, str], experiment: str) -> TraceEvent:
    """Return the event of a service that is called with these headers, and has an experiment of its own."""
    tracing = RecordingTracing(choices=choices)
    caller = tracing.read_caller(headers)
    given = {"offpath.experiment": experiment, **caller.attributes}
    tracing.tracer("service").start_span("predict", caller.context, attributes=given, links=caller.links).end()
    return tracing.events[0]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_all_parts_of_a_continued_trace_are_stored(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str, order: tuple[int, ...]
) -> None:
    choices = TracingChoices(traceparent="continue")
    tracing, headers = RecordingTracing(choices=choices), dict[str, str]()
    with tracing.tracer("shop").start_as_current_span("order", attributes={"offpath.experiment": experiment}):
        inject(headers)
        events = [called(choices, headers, f"{experiment}/{model}") for model in ("iris", "abalone")]
    events += tracing.events

    for number in order:
        assert each_writer.invoke(numbered(events[number])) == set()

    assert {event.experiment for event in events} == {experiment}
    assert each_mlflow.trace_ids(experiment) == {events[0].trace_id}
    assert len(each_mlflow.spans(events[0].trace_id)) == 3


def test_two_models_that_one_caller_asks_are_two_traces(
    each_writer: WriterFunction, each_mlflow: Mlflow, experiment: str
) -> None:
    headers = {"traceparent": f"00-{uuid.uuid4().hex}-00f067aa0ba902b7-01"}
    events = [called(TracingChoices(), headers, f"{experiment}/{model}") for model in ("iris", "abalone")]

    assert each_writer.invoke(numbered(*events)) == set()

    for event in events:
        assert each_mlflow.trace_ids(event.experiment) == {event.trace_id}
        assert each_mlflow.trace(event.trace_id)["tags"]["caller_trace_id"] == headers["traceparent"].split("-")[1]
