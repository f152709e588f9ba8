"""OTLP/JSON to OTLP/protobuf, field by field.

The JSON of OTLP is not protobuf's own JSON mapping: ids are hexadecimal. A field in no table below is passed over.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from offpath.contracts.errors import MalformedEvent
from trace_writer.json_converters import (
    Convert,
    Fields,
    Misfit,
    Table,
    base64,
    boolean,
    enum,
    expected,
    hex_digits,
    integer,
    list_of,
    message,
    number,
    of,
    shown,
    text,
)
from trace_writer.json_text import parse


def to_protobuf(body: str, trace_id: str) -> ExportTraceServiceRequest:
    """The protobuf message that an OTLP/JSON request stands for.

    trace_id: 32 lower-case hex digits, which every span must carry. Raises MalformedEvent that names the field.
    """
    return ExportTraceServiceRequest(**_request(parse(body), trace_id))


def _request(value: Any, trace_id: str) -> Fields:
    try:
        fields = message(value, _REQUEST)
    except Misfit as misfit:
        raise MalformedEvent(f"not an OTLP/JSON trace request: {misfit}") from misfit
    except RecursionError as error:
        raise MalformedEvent("not an OTLP/JSON trace request: its values are nested too deeply") from error
    _check_spans(fields, trace_id)
    return fields


def _check_spans(fields: Fields, trace_id: str) -> None:
    own = bytes.fromhex(trace_id)
    spans = 0
    for resource in fields.get("resource_spans", ()):
        for scope in resource.get("scope_spans", ()):
            for span in scope.get("spans", ()):
                spans += 1
                _check_ids(span, own)
    if not spans:
        raise MalformedEvent("the request holds no spans")
    if not any(own):
        raise MalformedEvent(f"trace id {trace_id} is all zeros, which no trace has")


def _check_ids(span: Fields, trace_id: bytes) -> None:
    if span.get("trace_id") != trace_id:
        carried = span.get("trace_id", b"").hex()
        raise MalformedEvent(f"a span carries traceId {carried!r}, but the message is of trace {trace_id.hex()}")
    if not any(span.get("span_id", b"")):
        raise MalformedEvent(f"the span named {shown(span.get('name', ''))} has no spanId, or one of zeros")


def _attribute(value: Any) -> Fields:
    if type(value) is dict and type(inner := value.get("value")) is dict and len(inner) == 1:
        key, text = value.get("key"), inner.get("stringValue")
        if type(text) is str and type(key) is str:  # nearly every attribute is a text: the short way for those
            return {"key": key, "value": {"string_value": text}}
    return message(value, _KEY_VALUE)


def _any_value(value: Any) -> Fields:
    fields = message(value, _ANY_VALUE)
    if len(fields) > 1:
        expected("one kind of value", value)
    return fields


_INT64 = integer(-(2**63), 2**63 - 1)
_UINT64 = integer(0, 2**64 - 1)
_UINT32 = integer(0, 2**32 - 1)

_ANY_VALUE: dict[str, tuple[str, Convert]] = {
    "stringValue": ("string_value", text),
    "boolValue": ("bool_value", boolean),
    "intValue": ("int_value", _INT64),
    "doubleValue": ("double_value", number),
    "bytesValue": ("bytes_value", base64),
}
_KEY_VALUE: Table = {"key": ("key", text), "value": ("value", _any_value)}
_ATTRIBUTES = list_of(_attribute)
_ANY_VALUE["arrayValue"] = ("array_value", of({"values": ("values", list_of(_any_value))}))
_ANY_VALUE["kvlistValue"] = ("kvlist_value", of({"values": ("values", _ATTRIBUTES)}))

_EVENT: Table = {
    "timeUnixNano": ("time_unix_nano", _UINT64),
    "name": ("name", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
_LINK: Table = {
    "traceId": ("trace_id", hex_digits(16)),
    "spanId": ("span_id", hex_digits(8)),
    "traceState": ("trace_state", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
    "flags": ("flags", _UINT32),
}
_STATUS: Table = {
    "message": ("message", text),
    "code": ("code", enum(dict(Status.StatusCode.items()))),
}
_SPAN: Table = {
    "traceId": ("trace_id", hex_digits(16)),
    "spanId": ("span_id", hex_digits(8)),
    "traceState": ("trace_state", text),
    "parentSpanId": ("parent_span_id", hex_digits(8)),
    "flags": ("flags", _UINT32),
    "name": ("name", text),
    "kind": ("kind", enum(dict(Span.SpanKind.items()))),
    "startTimeUnixNano": ("start_time_unix_nano", _UINT64),
    "endTimeUnixNano": ("end_time_unix_nano", _UINT64),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
    "events": ("events", list_of(of(_EVENT))),
    "droppedEventsCount": ("dropped_events_count", _UINT32),
    "links": ("links", list_of(of(_LINK))),
    "droppedLinksCount": ("dropped_links_count", _UINT32),
    "status": ("status", of(_STATUS)),
}
_SCOPE: Table = {
    "name": ("name", text),
    "version": ("version", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
_RESOURCE: Table = {
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
_SCOPE_SPANS: Table = {
    "scope": ("scope", of(_SCOPE)),
    "spans": ("spans", list_of(of(_SPAN))),
    "schemaUrl": ("schema_url", text),
}
_RESOURCE_SPANS: Table = {
    "resource": ("resource", of(_RESOURCE)),
    "scopeSpans": ("scope_spans", list_of(of(_SCOPE_SPANS))),
    "schemaUrl": ("schema_url", text),
}
_REQUEST: Table = {"resourceSpans": ("resource_spans", list_of(of(_RESOURCE_SPANS)))}
