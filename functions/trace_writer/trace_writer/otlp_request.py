"""An OTLP/JSON request as the fields of its protobuf message."""

from offpath.contracts.errors import MalformedEvent
from trace_writer.changes import Changes
from trace_writer.json_converters import Fields, Misfit, message, shown
from trace_writer.json_text import MAX_LEVELS, parse, shallow
from trace_writer.otlp_tables import REQUEST
from trace_writer.salvage import salvage


def read_request(body: str, trace_id: str, changes: Changes) -> Fields:
    """Return what the constructor of ExportTraceServiceRequest takes.

    What cannot be read within a span is mended or dropped alone. trace_id: 32 lower-case hex digits, which every span
    must carry. Raises MalformedEvent that names the field if the spans cannot be told.
    """
    try:
        fields = _read(body, changes)
    except RecursionError:
        changes.by_span.clear()
        changes.of_request().at("request").note(f"what was nested deeper than {MAX_LEVELS} levels was dropped", "")
        fields = _read(shallow(body), changes)
    _check_spans(fields, trace_id)
    return fields


def all_spans(request: Fields) -> list[Fields]:
    """Return the spans of a request, in order."""
    return [
        span
        for resource_spans in request.get("resource_spans", ())
        for scope_spans in resource_spans.get("scope_spans", ())
        for span in scope_spans.get("spans", ())
    ]


def _read(body: str, changes: Changes) -> Fields:
    document = parse(body)
    try:
        return message(document, REQUEST)
    except Misfit:
        salvage(document, changes)
    try:
        return message(document, REQUEST)
    except Misfit as misfit:
        raise MalformedEvent(f"not an OTLP/JSON trace request: {misfit}") from misfit


def _check_spans(fields: Fields, trace_id: str) -> None:
    own = bytes.fromhex(trace_id)
    spans = all_spans(fields)
    for span in spans:
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
