"""Whatever a message holds, it is decoded or refused with a reason, and costs no other message."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offpath.aws.s3 import S3Claims
from offpath.contracts.errors import OffpathError, Poison
from offpath.contracts.message import Message
from offpath.testing import InMemoryBucket
from tests.support.builders.trace_events import batch_of, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench
from trace_writer.decode import Received, decode

EVENT = prediction_event(attributes={"text": 'é 中 😀 \\ " \n', "list": [1, 2], "json": '{"a": [1, {"b": "\\ud800"}]}'})
GOOD = inline_message(EVENT)
SPAN = {"traceId": EVENT.trace_id, "spanId": "00f067aa0ba902b7", "name": "x"}


def framed(*spans: object) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})


# Each is refused: its frame cannot be told.
CORPUS = {
    "empty": "",
    "white space": " \n\t",
    "null": "null",
    "number": "7",
    "text": '"trace"',
    "list": "[]",
    "object": "{}",
    "byte order mark": "\ufeff" + EVENT.body,
    "half": EVENT.body[: len(EVENT.body) // 2],
    "twice": EVENT.body * 2,
    "trailing comma": EVENT.body[:-1] + ",}",
    "single quotes": EVENT.body.replace('"', "'"),
    "NaN": EVENT.body.replace('"offpath.sequence","value":{"intValue":"7"}', '"offpath.sequence","value":NaN'),
    "control character in a text": '{"resourceSpans": "\x00"}',
    "invalid escape": r'{"resourceSpans": "\q"}',
    "unfinished escape": r'{"resourceSpans": "\ud8',
    "protobuf": "\n\x0b\n\t\x12\x07\n\x05hello",
    "gzip": "\x1f\x8b\x08\x00",
    "HTML": "<html><body>502 Bad Gateway</body></html>",
    "XML": "<?xml version='1.0'?><Error/>",
    "CSV": "traceId,spanId\n1,2\n",
    "no spans": framed(),
    "spans are null": '{"resourceSpans": null}',
    "spans are an object": '{"resourceSpans": {}}',
    "spans are texts": framed("span", 7, None),
    "another's trace": framed({**SPAN, "traceId": "0" * 31 + "1"}),
    "short trace id": framed({**SPAN, "traceId": "1"}),
    "trace id is a number": framed({**SPAN, "traceId": 7}),
    "no span id": framed({key: value for key, value in SPAN.items() if key != "spanId"}),
    "span id of zeros": framed({**SPAN, "spanId": "0" * 16}),
    "span id in base64": framed({**SPAN, "spanId": "APBnqgupArc="}),
    "one bad of two": framed(SPAN, {**SPAN, "spanId": "x"}),
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "a very long number": "9" * 100_000,
    "many brackets": "[]" * 100_000,
    "many quotes": '"' * 100_001,
    "many backslashes": '"' + "\\" * 100_001,
    "half surrogate pairs": '"' + "\\ud800" * 20_000,
}


@pytest.mark.parametrize("body", CORPUS.values(), ids=CORPUS)
def test_a_malformed_body_is_refused_and_costs_no_other(body: str) -> None:
    bench = Bench()

    written = bench.writer.write(batch_of({"bad": replace(GOOD, body=body), "good": GOOD}), bench.deadline)

    assert [failure.message_id for failure in written.failures] == ["bad"]
    assert isinstance(written.failures[0].error, Poison)
    assert bench.tracker.stored == {EVENT.trace_id}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {**GOOD.attributes, "kind": "other"},
        {**GOOD.attributes, "trace_id": EVENT.trace_id.upper()},
        {**GOOD.attributes, "trace_id": ""},
        {**GOOD.attributes, "kind": "claimed"},
    ],
)
def test_malformed_attributes_are_refused(attributes: dict[str, str]) -> None:
    with pytest.raises(Poison):
        decode(Received("1", Message(GOOD.body, attributes)), S3Claims(InMemoryBucket()))


PIECES = [
    *'\\"{}[],:\n\x000',
    "",
    "-1",
    "1e999",
    "null",
    "\ud800",
    "\\ud800",
    "\U0001f600",
    "9" * 5_000,
    "[" * 300 + "]" * 300,
]


def mutated(seed: int) -> str:
    """Return the body of a good event after some changes that chance makes."""
    chance, text = random.Random(seed), GOOD.body
    for _ in range(chance.randrange(1, 6)):
        at, size = chance.randrange(len(text)), chance.choice((0, 1, 1, 2, 20))
        piece = chance.choice([*PIECES, text[at : at + chance.randrange(60)]])
        text = text[:at] + piece + text[at + size :]
    return text


@settings(max_examples=600)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_event_is_decoded_whole_or_refused(seed: int) -> None:
    message = Received("1", Message(mutated(seed), GOOD.attributes))
    try:
        event = decode(message, S3Claims(InMemoryBucket()))
    except OffpathError as error:
        assert isinstance(error, Poison)  # noqa: PT017
        return
    assert b"\n" not in event.line
    json.loads(event.line, parse_int=str)
    spans = [
        span
        for resource in ExportTraceServiceRequest.FromString(event.payload).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert spans
    assert {span.trace_id.hex() for span in spans} == {EVENT.trace_id}


@settings(max_examples=200)
@given(body=st.text() | st.binary().map(lambda content: content.decode("latin-1")))
def test_any_text_is_refused_with_a_reason(body: str) -> None:
    with pytest.raises(Poison) as refused:
        decode(Received("1", Message(body, GOOD.attributes)), S3Claims(InMemoryBucket()))
    assert str(refused.value)
