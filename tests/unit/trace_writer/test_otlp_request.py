"""The mapping gives what protobuf's own, slower way gives; what does not fit is mended, or dropped alone, and named."""

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
from trace_writer.changes import Change, Changes
from trace_writer.otlp_request import read_request

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


def to_protobuf(body: str, trace_id: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(**read_request(body, trace_id, Changes()))


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
    ({"spanId": "12"}, "resourceSpans[0].scopeSpans[0].spans[0].spanId: expected 16 hex digits, not '12'"),
    ({"spanId": "zz" * 8}, "spans[0].spanId: expected 16 hex digits"),
    ({"spanId": 5}, "spans[0].spanId: expected 16 hex digits, not 5"),
    ({"traceId": "12"}, "spans[0].traceId: expected 32 hex digits, not '12'"),
    ({"spanId": "0" * 16}, "the span named 'validate' has no spanId, or one of zeros"),
    ({"spanId": ""}, "has no spanId"),
    ({"traceId": "ab" * 16}, f"a span carries traceId '{'ab' * 16}', but the message is of trace"),
    ({"traceId": None}, "a span carries traceId ''"),
]


@pytest.mark.parametrize(("change", "complaint"), MISFITS, ids=lambda value: str(value)[:40])
def test_span_without_its_ids_is_refused_with_the_field(change: dict[str, Any], complaint: str) -> None:
    body, trace_id = changed(lambda span: span.update(change))

    with pytest.raises(MalformedEvent) as refused:
        to_protobuf(body, trace_id)

    assert complaint in str(refused.value)


DROPPED = [
    ({"name": ["a"]}, "name: dropped: expected a string, not ['a']"),
    ({"parentSpanId": "12"}, "parentSpanId: dropped: expected 16 hex digits, not '12'"),
    ({"startTimeUnixNano": "soon"}, "startTimeUnixNano: dropped: expected an integer from 0 to"),
    ({"endTimeUnixNano": True}, "endTimeUnixNano: dropped: expected an integer"),
    ({"flags": True}, "flags: dropped: expected an integer"),
    ({"kind": "SPAN_KIND_ODD"}, "kind: dropped: expected an integer"),
    (
        {"kind": "y" * 200},
        f"kind: dropped: expected an integer from {-(2**31)} to {2**31 - 1}, or a string of its digits",
    ),
    ({"status": 2}, "status: dropped: expected an object, not 2"),
    ({"status": {"code": "ODD", "message": "kept"}}, "status.code: dropped: expected an integer"),
    ({"attributes": {"a": 1}}, "attributes: dropped: expected a list, not {'a': 1}"),
    ({"attributes": ["a"]}, "attributes[0]: dropped: expected an object, not 'a'"),
    ({"attributes": [{"key": [1], "value": {}}]}, "attributes[0]: dropped: key: expected a string, not [1]"),
    ({"attributes": [{"key": "a", "value": 1}]}, "attributes.a: dropped: value: expected an object, not 1"),
    ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, "value.boolValue: expected true or false, not 1"),
    ({"attributes": [{"key": "a", "value": {"intValue": "1.5"}}]}, "value.intValue: expected an integer"),
    ({"attributes": [{"key": "a", "value": {"doubleValue": "much"}}]}, "value.doubleValue: expected a number"),
    ({"attributes": [{"key": "a", "value": {"doubleValue": True}}]}, "value.doubleValue: expected a number"),
    ({"attributes": [{"key": "a", "value": {"bytesValue": "a*"}}]}, "value.bytesValue: expected base64, not 'a*'"),
    ({"attributes": [{"key": "a", "value": {"intValue": 1, "boolValue": True}}]}, "expected one kind of value"),
    ({"events": [{}, {"attributes": [{"value": []}]}]}, "events[1].attributes[0]: dropped: value: expected an object"),
    ({"events": 5}, "events: dropped: expected a list, not 5"),
    ({"links": [{"traceId": "12", "spanId": "ab" * 8}]}, "links[0]: dropped: traceId: expected 32 hex digits"),
]


@pytest.mark.parametrize(("change", "complaint"), DROPPED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_read_is_dropped_alone_and_named(change: dict[str, Any], complaint: str) -> None:
    good = {"key": "good", "value": {"stringValue": "kept"}}
    body, trace_id = changed(lambda span: span["attributes"].append(good) or span.update(with_good(change, good)))

    span, changes = mended(body, trace_id)

    assert len(changes) == 1
    assert complaint in f"{changes[0].field}: {changes[0].what}"
    assert changes[0].span in {"validate", "['a']"}
    kept = isinstance(change.get("attributes", []), list)
    assert ("good" in {attribute.key for attribute in span.attributes}) == kept


def with_good(change: dict[str, Any], good: dict[str, Any]) -> dict[str, Any]:
    """The change, with a good attribute beside those that it has."""
    values = change.get("attributes")
    return {**change, "attributes": [*values, good]} if isinstance(values, list) else change


def mended(body: str, trace_id: str) -> tuple[Any, list[Change]]:
    """The first span of a request, and what was changed."""
    changes = Changes()
    request = ExportTraceServiceRequest(**read_request(body, trace_id, changes))
    return request.resource_spans[0].scope_spans[0].spans[0], list(changes)


def test_dropped_parts_are_counted_where_otlp_counts_them() -> None:
    event = {"name": "e", "attributes": [{"key": "a", "value": 5}, {"key": "b", "value": {}}]}
    odd = {
        "attributes": [5, {"key": "a", "value": {"boolValue": "x"}}, {"key": "b", "value": {"intValue": "5"}}],
        "droppedAttributesCount": 3,
        "events": [event, "no event"],
        "links": [{"traceId": "12"}],
        "droppedLinksCount": "many",
    }
    body, trace_id = changed(lambda span: span.update(odd))

    span, changes = mended(body, trace_id)

    assert (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count) == (5, 1, 1)
    assert span.events[0].dropped_attributes_count == 1
    assert span.links == []
    assert ([attribute.key for attribute in span.attributes], len(changes)) == (["b"], 5)


MENDED_VALUES = [
    ({"intValue": str(2**63)}, "string_value", str(2**63)),
    ({"intValue": -(2**63) - 1}, "string_value", str(-(2**63) - 1)),
    ({"intValue": "9" * 5000}, "string_value", "9" * 5000),
    ({"intValue": 1.5}, "double_value", 1.5),
    ({"doubleValue": 10**400}, "string_value", str(10**400)),
    ({"stringValue": 5}, "string_value", "5"),
    ({"stringValue": True}, "string_value", "true"),
]


@pytest.mark.parametrize(("value", "field", "expected"), MENDED_VALUES, ids=lambda value: str(value)[:40])
def test_value_of_another_type_is_kept_as_a_near_one(value: dict[str, Any], field: str, expected: object) -> None:
    nested = {"arrayValue": {"values": [value, {"boolValue": "odd"}, {"stringValue": "last"}]}}
    attributes = [{"key": "a", "value": value}, {"key": "b", "value": nested}]
    body, trace_id = changed(lambda span: span.update(attributes=attributes))

    span, changes = mended(body, trace_id)

    alone, [first, gap, last] = span.attributes[0].value, span.attributes[1].value.array_value.values
    assert (getattr(alone, field), getattr(first, field)) == (expected, expected)
    assert (gap.WhichOneof("value"), last.string_value) == (None, "last")
    assert len(changes) == 3


def test_integer_of_thousands_of_digits_is_kept() -> None:
    body, trace_id = changed(lambda span: span.update(attributes=[{"key": "a", "value": {"intValue": 7654321}}]))

    span, _ = mended(body.replace("7654321", "7" * 5000), trace_id)

    assert span.attributes[0].value.string_value == "7" * 5000


@pytest.mark.parametrize(
    ("time", "expected"),
    [(1.5e18, 1_500_000_000_000_000_000), (-5, 0), ("1.5e18", 1_500_000_000_000_000_000), (10**30, 2**63 - 1)],
)
def test_time_in_another_form_is_read(time: object, expected: int) -> None:
    body, trace_id = changed(lambda span: span.update(startTimeUnixNano=time, events=[{"timeUnixNano": time}]))

    span, changes = mended(body, trace_id)

    assert (span.start_time_unix_nano, span.events[0].time_unix_nano, len(changes)) == (expected, expected, 2)


def test_time_that_cannot_be_read_is_the_other_one() -> None:
    body, trace_id = changed(lambda span: span.update(startTimeUnixNano="soon", endTimeUnixNano="7"))
    span, _ = mended(body, trace_id)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (7, 7)


def test_names_and_keys_that_are_numbers_become_texts() -> None:
    odd = {"name": 7, "events": [{"name": 5}], "attributes": [{"key": 5, "value": {"intValue": "1"}}]}
    body, trace_id = changed(lambda span: span.update(odd))

    span, _ = mended(body, trace_id)

    assert (span.name, span.events[0].name, span.attributes[0].key) == ("7", "5", "5")


def test_resource_and_scope_of_another_shape_are_dropped_alone() -> None:
    body, trace_id = changed(lambda _: None)
    document = json.loads(body)
    document["resourceSpans"][0].update(resource=5, schemaUrl=7)
    document["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": 7, "version": []}

    span, changes = mended(json.dumps(document), trace_id)

    assert span.name == "validate"
    assert [change.field for change in changes] == ["resource", "schemaUrl", "scope.name", "scope.version"]


def test_what_is_no_span_is_dropped_beside_one() -> None:
    body, trace_id = changed(lambda _: None)
    document = json.loads(body)
    document["resourceSpans"].append(None)
    document["resourceSpans"][0]["scopeSpans"].insert(0, 5)
    document["resourceSpans"][0]["scopeSpans"][1]["spans"].append("no span")

    span, changes = mended(json.dumps(document), trace_id)

    assert (span.name, [change.field for change in changes]) == ("validate", ["resourceSpans", "scopeSpans", "spans"])


@pytest.mark.parametrize("depth", [100, 200, 1_000, 20_000])
def test_lists_in_lists_leave_the_rest_of_the_trace(depth: int) -> None:
    body, trace_id = changed(lambda span: span["attributes"].append({"key": "nested", "value": {"stringValue": "*"}}))
    deep = '{"arrayValue":{"values":[' * depth + "]}}" * depth

    span, _ = mended(body.replace('{"stringValue": "*"}', deep), trace_id)

    assert {"records", "nested"} <= {attribute.key for attribute in span.attributes}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "value", "values", "stringValue", "intValue", "arrayValue"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
PARTS = ["name", "kind", "flags", "startTimeUnixNano", "attributes", "events", "links", "status", "parentSpanId"]


@given(odd=st.dictionaries(st.sampled_from(PARTS), JSON), nested=st.lists(JSON, max_size=3))
def test_whatever_a_span_holds_its_trace_is_read(odd: dict[str, Any], nested: list[Any]) -> None:
    def change(span: dict[str, Any]) -> None:
        span.update(odd, events=[{"name": "e", "attributes": nested}, *nested])
        span["attributes"] = [*nested, {"key": "good", "value": {"stringValue": "kept"}}]

    body, trace_id = changed(change)

    span, _ = mended(body, trace_id)

    assert (span.trace_id.hex(), span.attributes[-1].value.string_value) == (trace_id, "kept")
    assert len(span.attributes) + span.dropped_attributes_count == len(nested) + 1


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
