"""Encode ended spans as a trace event, by OpenTelemetry's own OTLP/JSON encoder."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.trace import format_span_id, format_trace_id

from offpath import attributes
from offpath.contracts.trace_event import TraceEvent
from offpath.tracing._event_sequence import EventNumber
from offpath.tracing._light_span import AnySpan, LightSpan


@dataclass(frozen=True, slots=True)
class EndedTrace:
    """The ended spans of one trace as they leave the request: at least one; the head is the root, where it is there."""

    spans: Sequence[AnySpan]
    head: AnySpan
    number: EventNumber


def encode(trace: EndedTrace, default_experiment: str) -> TraceEvent:
    """Return the event for a trace.

    The experiment is the head's attribute `offpath.experiment`, or the default. The head also gets the number's
    instance and sequence, here rather than while the request waits.
    """
    span_id, trace_id = _ids(trace.head)
    own = str((trace.head.attributes or {}).get(attributes.EXPERIMENT, ""))
    added = [
        {"key": attributes.INSTANCE, "value": {"stringValue": trace.number.instance}},
        {"key": attributes.SEQUENCE, "value": {"intValue": str(trace.number.sequence)}},
    ]
    if not own:
        added.append({"key": attributes.EXPERIMENT, "value": {"stringValue": default_experiment}})
    spans = [span.readable() if isinstance(span, LightSpan) else span for span in trace.spans]
    document = encode_spans(spans).to_dict()
    for span in _spans(document):
        if span["spanId"] == span_id:
            span.setdefault("attributes", []).extend(added)
    return TraceEvent(trace_id, own or default_experiment, json.dumps(document, separators=(",", ":")))


def _spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (span for group in document["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"])


def _ids(span: AnySpan) -> tuple[str, str]:
    context = span.get_span_context()
    if context is None:
        raise ValueError(f"span {span.name!r} has no context: only spans that a tracer started can be encoded")
    return format_span_id(context.span_id), format_trace_id(context.trace_id)
