"""Encode ended spans as a trace event, by OpenTelemetry's own OTLP/JSON encoder."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from offpath import attributes
from offpath.contracts.trace_event import TraceEvent
from offpath.tracing._clean_span import SpanCleaner
from offpath.tracing._event_sequence import EventNumber
from offpath.tracing._light_span import AnySpan, readable
from offpath.tracing._values import NoValue, text

_ADDED_KEYS = frozenset({attributes.INSTANCE, attributes.SEQUENCE, attributes.EXPERIMENT})
_MOST_SHOWN = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndedTrace:
    """The ended spans of one request as they leave it: at least one; the head is the outermost, where it is there.

    experiment: of the trace; empty if the head's attribute `offpath.experiment` is to say it. is_root: whether the head
    is its trace's root in MLflow, whatever its parent. adopted: the parents of other spans whose own parent is not in
    MLflow, by span id.
    """

    spans: Sequence[AnySpan]
    head: AnySpan
    number: EventNumber
    experiment: str = ""
    is_root: bool = False
    adopted: Mapping[int, SpanContext] = field(default_factory=dict)


def encode(trace: EndedTrace, default_experiment: str) -> TraceEvent:
    """Return the event for a trace.

    The experiment is the trace's, the head's attribute `offpath.experiment`, or the default. The head also gets the
    number's instance and sequence, here rather than while the request waits.
    """
    cleaner = SpanCleaner()
    span_id, trace_id = _ids(trace.head)
    experiment = _experiment(trace) or default_experiment
    document = encode_spans([cleaner.clean(readable(span), _parent(span, trace)) for span in trace.spans]).to_dict()
    for span in _spans(document):
        if span["spanId"] == span_id:
            span["attributes"] = [*_unnumbered(span), *_added(experiment, trace.number)]
    if cleaner.dropped:
        shown = "; ".join(cleaner.dropped[:_MOST_SHOWN])
        _log.warning("trace %s: %d value(s) are left out: %s", trace_id, len(cleaner.dropped), shown)
    return TraceEvent(trace_id, experiment, json.dumps(document, separators=(",", ":")))


def _experiment(trace: EndedTrace) -> str:
    try:
        return text(trace.experiment or (trace.head.attributes or {}).get(attributes.EXPERIMENT, ""))
    except NoValue:
        return ""


def _parent(span: AnySpan, trace: EndedTrace) -> SpanContext | None:
    """Return the span's parent as MLflow is to see it: that of another system is remote."""
    parent, own = span.parent, span.get_span_context()
    if parent is None or own is None:
        return parent
    if trace.is_root and span is trace.head and not parent.is_remote:
        return SpanContext(parent.trace_id, parent.span_id, True, parent.trace_flags, parent.trace_state)
    return trace.adopted.get(own.span_id, parent)


def _unnumbered(span: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in span.get("attributes", ()) if item["key"] not in _ADDED_KEYS]


def _added(experiment: str, number: EventNumber) -> list[dict[str, Any]]:
    return [
        {"key": attributes.INSTANCE, "value": {"stringValue": number.instance}},
        {"key": attributes.SEQUENCE, "value": {"intValue": str(number.sequence)}},
        {"key": attributes.EXPERIMENT, "value": {"stringValue": experiment}},
    ]


def _spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (span for group in document["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"])


def _ids(span: AnySpan) -> tuple[str, str]:
    context = span.get_span_context()
    if context is None:
        raise ValueError(f"span {span.name!r} has no context: only spans that a tracer started can be encoded")
    return format_span_id(context.span_id), format_trace_id(context.trace_id)
