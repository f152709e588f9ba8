"""OTLP/JSON to the fields of OTLP/protobuf: which field becomes which, and its converter.

The JSON of OTLP is not protobuf's own JSON mapping: ids are hexadecimal. A field in no table below is passed over.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from trace_writer.json_converters import (
    Convert,
    Fields,
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
    text,
)


def attribute(value: Any) -> Fields:
    if type(value) is dict and type(inner := value.get("value")) is dict and len(inner) == 1:
        key, text = value.get("key"), inner.get("stringValue")
        if type(text) is str and type(key) is str:  # nearly every attribute is a text: the short way for those
            return {"key": key, "value": {"string_value": text}}
    return message(value, KEY_VALUE)


def any_value(value: Any) -> Fields:
    fields = message(value, ANY_VALUE)
    if len(fields) > 1:
        expected("one kind of value", value)
    return fields


_INT64 = integer(-(2**63), 2**63 - 1)
_UINT64 = integer(0, 2**64 - 1)
_UINT32 = integer(0, 2**32 - 1)

ANY_VALUE: dict[str, tuple[str, Convert]] = {
    "stringValue": ("string_value", text),
    "boolValue": ("bool_value", boolean),
    "intValue": ("int_value", _INT64),
    "doubleValue": ("double_value", number),
    "bytesValue": ("bytes_value", base64),
}
KEY_VALUE: Table = {"key": ("key", text), "value": ("value", any_value)}
_ATTRIBUTES = list_of(attribute)
LIST: Table = {"values": ("values", list_of(any_value))}
MAP: Table = {"values": ("values", _ATTRIBUTES)}
ANY_VALUE["arrayValue"] = ("array_value", of(LIST))
ANY_VALUE["kvlistValue"] = ("kvlist_value", of(MAP))

EVENT: Table = {
    "timeUnixNano": ("time_unix_nano", _UINT64),
    "name": ("name", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
LINK: Table = {
    "traceId": ("trace_id", hex_digits(16)),
    "spanId": ("span_id", hex_digits(8)),
    "traceState": ("trace_state", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
    "flags": ("flags", _UINT32),
}
STATUS: Table = {
    "message": ("message", text),
    "code": ("code", enum(dict(Status.StatusCode.items()))),
}
SPAN: Table = {
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
    "events": ("events", list_of(of(EVENT))),
    "droppedEventsCount": ("dropped_events_count", _UINT32),
    "links": ("links", list_of(of(LINK))),
    "droppedLinksCount": ("dropped_links_count", _UINT32),
    "status": ("status", of(STATUS)),
}
SCOPE: Table = {
    "name": ("name", text),
    "version": ("version", text),
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
RESOURCE: Table = {
    "attributes": ("attributes", _ATTRIBUTES),
    "droppedAttributesCount": ("dropped_attributes_count", _UINT32),
}
SCOPE_SPANS: Table = {
    "scope": ("scope", of(SCOPE)),
    "spans": ("spans", list_of(of(SPAN))),
    "schemaUrl": ("schema_url", text),
}
RESOURCE_SPANS: Table = {
    "resource": ("resource", of(RESOURCE)),
    "scopeSpans": ("scope_spans", list_of(of(SCOPE_SPANS))),
    "schemaUrl": ("schema_url", text),
}
REQUEST: Table = {"resourceSpans": ("resource_spans", list_of(of(RESOURCE_SPANS)))}
