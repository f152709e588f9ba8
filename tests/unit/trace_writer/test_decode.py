"""A message's content reaches the archive as it came, and MLflow as MLflow wants it."""

import hashlib
import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context

from offpath.aws.s3 import S3Claims
from offpath.contracts.errors import ClaimAltered, ClaimLost, MalformedEvent, Poison, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import InMemoryBucket
from tests.support.builders.trace_events import (
    as_event,
    claimed,
    decoded,
    ended_spans,
    inline_message,
    prediction_event,
)
from tests.support.fakes.trace_writer import claims
from trace_writer.decode import Received, decode

CALLER = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=True, trace_flags=TraceFlags(1))


def continued_event() -> TraceEvent:
    """A trace whose root continues a caller's span."""

    def work(tracer: Tracer) -> None:
        caller = set_span_in_context(NonRecordingSpan(CALLER))
        with tracer.start_as_current_span("root", context=caller), tracer.start_as_current_span("model"):
            pass

    return as_event(ended_spans(work))


def test_the_archive_gets_the_body_as_it_came() -> None:
    event = prediction_event()
    assert decoded("1", event, claims()).line.decode() == event.body


def test_a_claimed_event_is_fetched() -> None:
    store, event = claims(), prediction_event()
    assert decode(Received("1", claimed(event, store)), store).line.decode() == event.body


def test_continued_root_is_detached_for_mlflow_alone() -> None:
    event = continued_event()

    result = decoded("1", event, claims())

    model, root = ExportTraceServiceRequest.FromString(result.payload).resource_spans[0].scope_spans[0].spans
    assert root.parent_span_id == b""
    assert [(a.key, a.value.string_value) for a in root.attributes] == [
        ("offpath.remote_parent_span_id", "0000000000000def")
    ]
    assert (model.parent_span_id, list(model.attributes)) == (root.span_id, [])
    assert json.loads(result.line)["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["parentSpanId"] == "0" * 13 + "def"


def test_nul_characters_are_replaced_for_mlflow_alone() -> None:
    event = prediction_event(attributes={"text": "a\0b", "document": json.dumps({"text": "a\0b"})})

    result = decoded("1", event, claims())

    root = ExportTraceServiceRequest.FromString(result.payload).resource_spans[0].scope_spans[0].spans[-1]
    texts = {a.key: a.value.string_value for a in root.attributes}
    assert texts["text"] == "a\ufffdb"
    assert json.loads(texts["document"]) == {"text": "a\ufffdb"}
    assert result.line.decode() == event.body


def test_half_a_surrogate_pair_is_replaced() -> None:
    event = prediction_event()
    odd = TraceEvent(event.trace_id, event.experiment, event.body.replace("POST /predict", r"POST \ud83d"))

    result = decoded("1", odd, claims())

    assert ExportTraceServiceRequest.FromString(result.payload).resource_spans[0].scope_spans[0].spans[-1].name == (
        "POST \ufffd"
    )
    assert "POST \ufffd" in json.dumps(json.loads(result.line), ensure_ascii=False)


EVENT = prediction_event()
CLAIM = {"bucket": "bucket", "key": "claims/a", "sha256": "0" * 64, "bytes": 1}
NOT_UTF8 = {**CLAIM, "key": "claims/b", "sha256": hashlib.sha256(b"\xff").hexdigest()}


@pytest.mark.parametrize(
    ("message", "kind", "complaint"),
    [
        (Message("not json", inline_message(EVENT).attributes), MalformedEvent, "not JSON"),
        (Message(EVENT.body, {}), MalformedEvent, "no attribute 'schema'"),
        (inline_message(EVENT, schema="otlp-json/9"), UnknownSchema, "otlp-json/9"),
        (inline_message(EVENT, kind="pigeon"), MalformedEvent, "kind='pigeon'"),
        (inline_message(EVENT, trace_id="12"), MalformedEvent, "trace_id='12'"),
        (inline_message(EVENT, trace_id="ab" * 16), MalformedEvent, f"the message is of trace {'ab' * 16}"),
        (Message('{"resourceSpans": []}', inline_message(EVENT).attributes), MalformedEvent, "no spans"),
        (Message(json.dumps(CLAIM), inline_message(EVENT, kind="claimed").attributes), ClaimAltered, "SHA-256"),
        (
            Message(json.dumps({**CLAIM, "key": "claims/x"}), inline_message(EVENT, kind="claimed").attributes),
            ClaimLost,
            "not exist",
        ),
        (Message(json.dumps(NOT_UTF8), inline_message(EVENT, kind="claimed").attributes), MalformedEvent, "not UTF-8"),
        (Message("{}", inline_message(EVENT, kind="claimed").attributes), MalformedEvent, "not a claim check"),
        (Message("[" * 99_999, inline_message(EVENT, kind="claimed").attributes), MalformedEvent, "not a claim check"),
        (Message("[" * 99_999, inline_message(EVENT).attributes), MalformedEvent, "not JSON"),
        (Message('{"a":\n1e999}', inline_message(EVENT).attributes), MalformedEvent, "the request holds no spans"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_a_message_that_can_never_be_delivered_says_why(message: Message, kind: type[Poison], complaint: str) -> None:
    store = S3Claims(InMemoryBucket("bucket", {"claims/a": b"other", "claims/b": b"\xff"}))

    with pytest.raises(kind) as refused:
        decode(Received("1", message), store)

    assert complaint in str(refused.value)
