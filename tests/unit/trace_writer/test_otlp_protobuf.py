"""The mapping gives what protobuf's own, slower way gives, and says where a body does not fit."""

import base64
import contextlib
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    use_span,
)

from offpath.contracts.errors import MalformedEvent
from tests.support.builders.trace_events import as_event, ended_spans, prediction_event
from trace_writer.otlp_protobuf import to_protobuf

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
INT64S = st.integers(-(2**63), 2**63 - 1)
SCALARS = TEXTS | st.booleans() | INT64S | st.floats() | st.binary(max_size=9)
LISTS = st.lists(TEXTS, max_size=3) | st.lists(st.booleans(), max_size=3) | st.lists(INT64S, max_size=3)
ATTRIBUTES = st.dictionaries(NAMES, SCALARS | LISTS | st.lists(st.floats(), max_size=3), max_size=5)
IDS = st.integers(1, 2**63)
CONTEXTS = st.builds(
    SpanContext,
    trace_id=IDS,
    span_id=IDS,
    is_remote=st.booleans(),
    trace_flags=st.just(TraceFlags(1)),
    trace_state=st.just(TraceState([("vendor", "value")])),
)
STATUSES = st.just(Status(StatusCode.OK)) | st.builds(Status, st.just(StatusCode.ERROR), TEXTS)


def canonical(body: str) -> ExportTraceServiceRequest:
    """The same request by protobuf's JSON mapping, which wants ids in base64."""
    document = json.loads(body)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for part in [span, *span.get("links", [])]:
                    for field in part.keys() & {"traceId", "spanId", "parentSpanId"}:
                        part[field] = base64.b64encode(bytes.fromhex(part[field])).decode()
    request = ExportTraceServiceRequest()
    json_format.ParseDict(document, request, ignore_unknown_fields=True)
    return request


@given(data=st.data())
def test_spans_of_the_sdk_map_as_protobuf_itself_maps_them(data: st.DataObject) -> None:
    def work(tracer: Tracer) -> None:
        links = [Link(context, data.draw(ATTRIBUTES)) for context in data.draw(st.lists(CONTEXTS, max_size=2))]
        kind = data.draw(st.sampled_from(SpanKind))
        outer = tracer.start_span(data.draw(TEXTS), kind=kind, attributes=data.draw(ATTRIBUTES), links=links)
        with use_span(outer, end_on_exit=True), tracer.start_as_current_span("inner") as span:
            span.add_event(data.draw(TEXTS), data.draw(ATTRIBUTES), timestamp=data.draw(st.integers(0, 2**64 - 1)))
            span.set_status(data.draw(STATUSES))

    event = as_event(ended_spans(work))

    assert repr(to_protobuf(event.body, event.trace_id)) == repr(canonical(event.body))  # NaN is not equal to itself


ANY_VALUES = [
    ({"stringValue": "größer"}, "string_value", "größer"),
    ({"boolValue": False}, "bool_value", False),
    ({"intValue": "-5"}, "int_value", -5),
    ({"intValue": 5}, "int_value", 5),
    ({"doubleValue": 1}, "double_value", 1.0),
    ({"doubleValue": "1.5"}, "double_value", 1.5),
    ({"doubleValue": "-Infinity"}, "double_value", float("-inf")),
    ({"bytesValue": "-_8"}, "bytes_value", b"\xfb\xff"),
    ({"stringValue": None, "intValue": "5"}, "int_value", 5),
    ({"comesLater": 1}, None, None),
]


@pytest.mark.parametrize(("value", "field", "expected"), ANY_VALUES, ids=str)
def test_every_way_to_write_a_value_is_read(value: dict[str, Any], field: str | None, expected: object) -> None:
    mapped = attribute_value(value)

    assert mapped.WhichOneof("value") == field
    assert field is None or getattr(mapped, field) == expected


def test_lists_and_maps_are_read_even_when_empty_or_nested() -> None:
    nested = attribute_value(
        {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}}]}}
    )
    assert nested.kvlist_value.values[0].value.array_value.values[0].int_value == 1
    assert attribute_value({"arrayValue": {}}).WhichOneof("value") == "array_value"
    assert attribute_value({"kvlistValue": {"values": []}}).WhichOneof("value") == "kvlist_value"


def test_enumerations_by_name_and_unknown_fields_are_read() -> None:
    body, trace_id = changed(
        lambda span: span.update(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"}, comesLater={"a": 1})
    )

    span = to_protobuf(body, trace_id).resource_spans[0].scope_spans[0].spans[0]

    assert (span.kind, span.status.code) == (3, 2)


def test_ids_may_be_upper_case() -> None:
    body, trace_id = changed(lambda span: span.update(traceId=span["traceId"].upper(), spanId="ABCDEF0123456789"))

    span = to_protobuf(body, trace_id).resource_spans[0].scope_spans[0].spans[0]

    assert (span.trace_id.hex(), span.span_id.hex()) == (trace_id, "abcdef0123456789")


MISFITS = [
    ({"name": 5}, "resourceSpans[0].scopeSpans[0].spans[0].name: expected a string, not 5"),
    ({"spanId": "12"}, "spans[0].spanId: expected 16 hex digits, not '12'"),
    ({"spanId": "zz" * 8}, "spans[0].spanId: expected 16 hex digits"),
    ({"spanId": 5}, "spans[0].spanId: expected 16 hex digits, not 5"),
    ({"traceId": "12"}, "spans[0].traceId: expected 32 hex digits, not '12'"),
    ({"spanId": "0" * 16}, "the span named 'validate' has no spanId, or one of zeros"),
    ({"spanId": ""}, "has no spanId"),
    ({"traceId": "ab" * 16}, f"a span carries traceId '{'ab' * 16}', but the message is of trace"),
    ({"traceId": None}, "a span carries traceId ''"),
    ({"startTimeUnixNano": "soon"}, "startTimeUnixNano: expected an integer from 0 to"),
    ({"startTimeUnixNano": -1}, "startTimeUnixNano: expected an integer from 0 to"),
    ({"endTimeUnixNano": 1.5}, "endTimeUnixNano: expected an integer"),
    ({"flags": True}, "flags: expected an integer"),
    ({"kind": "SPAN_KIND_ODD"}, "kind: expected an integer"),
    ({"status": 2}, "spans[0].status: expected an object, not 2"),
    ({"attributes": {"a": 1}}, "spans[0].attributes: expected a list, not {'a': 1}"),
    ({"attributes": ["a"]}, "spans[0].attributes[0]: expected an object, not 'a'"),
    ({"attributes": [{"key": 1, "value": {"stringValue": "a"}}]}, "attributes[0].key: expected a string, not 1"),
    ({"attributes": [{"key": "a", "value": 1}]}, "attributes[0].value: expected an object, not 1"),
    ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, "value.boolValue: expected true or false, not 1"),
    ({"attributes": [{"key": "a", "value": {"intValue": "1.5"}}]}, "value.intValue: expected an integer"),
    ({"attributes": [{"key": "a", "value": {"doubleValue": "much"}}]}, "value.doubleValue: expected a number"),
    ({"attributes": [{"key": "a", "value": {"doubleValue": True}}]}, "value.doubleValue: expected a number"),
    ({"attributes": [{"key": "a", "value": {"bytesValue": "a*"}}]}, "value.bytesValue: expected base64, not 'a*'"),
    ({"attributes": [{"key": "a", "value": {"intValue": 1, "boolValue": True}}]}, "expected one kind of value"),
    ({"events": [{}, {"attributes": [{"value": []}]}]}, "spans[0].events[1].attributes[0].value: expected an object"),
    ({"kind": "y" * 200}, f"a string of its digits, not '{'y' * 79}…"),
]


@pytest.mark.parametrize(("change", "complaint"), MISFITS, ids=lambda value: str(value)[:40])
def test_misshapen_body_is_refused_with_the_field(change: dict[str, Any], complaint: str) -> None:
    body, trace_id = changed(lambda span: span.update(change))

    with pytest.raises(MalformedEvent) as refused:
        to_protobuf(body, trace_id)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "not JSON"),
        ("not json", "not JSON: Expecting value: line 1 column 1 (char 0); it begins with 'not json'"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected an object, not []"),
        ("5", "not an OTLP/JSON trace request: expected an object, not 5"),
        ("{}", "holds no spans"),
        ('{"resourceSpans": null}', "holds no spans"),
        ('{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}', "holds no spans"),
        ('{"resourceSpans": {}}', "resourceSpans: expected a list, not {}"),
    ],
)
def test_what_is_no_trace_is_refused(body: str, complaint: str) -> None:
    with pytest.raises(MalformedEvent) as refused:
        to_protobuf(body, "ab" * 16)

    assert complaint in str(refused.value)


def test_a_trace_id_of_zeros_is_refused() -> None:
    body, _ = changed(lambda span: span.update(traceId="0" * 32))
    document = json.loads(body)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"] = document["resourceSpans"][0]["scopeSpans"][0]["spans"][:1]

    with pytest.raises(MalformedEvent, match="all zeros"):
        to_protobuf(json.dumps(document), "0" * 32)


def test_values_nested_without_end_are_refused() -> None:
    event = prediction_event()
    nested = '{"arrayValue": {"values": [' * 260 + "]}}" * 260
    body = event.body.replace('{"intValue":"1"}', nested)

    with pytest.raises(MalformedEvent, match="nested too deeply"):
        to_protobuf(body, event.trace_id)


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["spans", "key", "value"]), inner),
    max_leaves=4,
)


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_body_is_mapped_or_refused(data: st.DataObject) -> None:
    event = prediction_event()
    document = json.loads(event.body)
    place = data.draw(st.sampled_from(list(_places(document))))
    place[0][place[1]] = data.draw(JUNK)

    with contextlib.suppress(MalformedEvent):
        assert to_protobuf(json.dumps(document), event.trace_id).SerializeToString()


def _places(value: Any) -> Any:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def changed(change: Any) -> tuple[str, str]:
    """A prediction's body with its first span changed, and its trace id."""
    event = prediction_event()
    document = json.loads(event.body)
    change(document["resourceSpans"][0]["scopeSpans"][0]["spans"][0])
    return json.dumps(document), event.trace_id


def attribute_value(value: dict[str, Any]) -> Any:
    body, trace_id = changed(lambda span: span.update(attributes=[{"key": "a", "value": value}]))
    return to_protobuf(body, trace_id).resource_spans[0].scope_spans[0].spans[0].attributes[0].value
