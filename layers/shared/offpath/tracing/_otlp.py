"""Encode ended spans as a trace event, by OpenTelemetry's own OTLP/JSON encoder."""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, NamedTuple

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id
from opentelemetry.util.types import AttributeValue

from offpath import attributes
from offpath.contracts.trace_event import TraceEvent
from offpath.tracing._clean_span import SpanCleaner
from offpath.tracing._event_sequence import EventNumber
from offpath.tracing._light_span import AnySpan, readable
from offpath.tracing._root_attributes import complete_root
from offpath.tracing._values import NoValue, text

_MOST_SHOWN = 3
_SPAN_BYTES = 1_000
_VALUE_BYTES = 50
_NUMBER_BYTES = 30
_NOT_FOR_SQS = re.compile("[\ud800-\udfff\ufffe\uffff]")
_NUMBERS = frozenset({int, float, bool, type(None)})

_log = logging.getLogger(__name__)


class Unnamed(Enum):
    """The experiment of a trace that names none.

    AS_HEAD_SAYS: the one that the head's attribute `offpath.experiment` names, or else the default. DEFAULT: the
    default, whatever the head says.
    """

    AS_HEAD_SAYS = auto()
    DEFAULT = auto()


class EndedTrace(NamedTuple):  # it is made while the request waits: a dataclass takes twice as long
    """The ended spans of one request as they leave it: at least one; the head is the outermost, where it is there.

    experiment: the name of the trace's. is_root: whether the head is its trace's root in MLflow, whatever its parent.
    adopted: the parents of other spans whose own parent is not in MLflow, by span id. said: attributes of the root that
    others than its spans have set.
    """

    spans: Sequence[AnySpan]
    head: AnySpan
    number: EventNumber
    experiment: AttributeValue | Unnamed = Unnamed.AS_HEAD_SAYS
    is_root: bool = False
    adopted: Mapping[int, SpanContext] = MappingProxyType({})
    said: Mapping[str, str] = MappingProxyType({})


def size_of(trace: EndedTrace) -> int:
    """Return roughly how many bytes the trace holds: its spans' texts, and a share for the rest of each span.

    The request waits for this.
    """
    size = _SPAN_BYTES * len(trace.spans)
    for span in trace.spans:
        for value in (span.attributes or {}).values():
            size += len(value) if isinstance(value, str | bytes) else _size_of(value)
        for event in span.events:
            size += _SPAN_BYTES + _size_of(event.attributes or {})
    return size


def _size_of(value: Any) -> int:
    """Return roughly how many bytes an attribute's value holds, whatever it is made of."""
    if isinstance(value, str | bytes):
        return _VALUE_BYTES + len(value)
    if isinstance(value, Mapping):
        return _VALUE_BYTES + _size_of_items(value) + _size_of_items(value.values())
    return _VALUE_BYTES + (_size_of_items(value) if isinstance(value, tuple | list) else 0)


def _size_of_items(items: Iterable[Any]) -> int:
    size = 0
    for item in items:  # long lists are of numbers or texts: no call for these
        kind = type(item)
        size += _NUMBER_BYTES if kind in _NUMBERS else len(item) if kind is str else _size_of(item)
    return size


def encode(trace: EndedTrace, default_experiment: str, service_name: str = "") -> TraceEvent:
    """Return the event for a trace. service_name: of a process whose tracer provider names none.

    The experiment is the trace's, the head's attribute `offpath.experiment`, or the default. The head also gets the
    number's instance and sequence, here rather than while the request waits.
    """
    cleaner = SpanCleaner(service_name)
    span_id, trace_id = _ids(trace.head)
    experiment = _experiment(trace) or default_experiment
    document = encode_spans([cleaner.clean(readable(span), _parent(span, trace)) for span in trace.spans]).to_dict()
    spans = list(_spans(document))
    head = next(span for span in spans if span["spanId"] == span_id)
    if trace.is_root:
        complete_root(head, spans, trace.said)
    head["attributes"] = _with(head, _added(experiment, trace.number))
    if cleaner.dropped:
        shown = "; ".join(cleaner.dropped[:_MOST_SHOWN])
        _log.warning("trace %s: %d value(s) are left out: %s", trace_id, len(cleaner.dropped), shown)
    return TraceEvent(trace_id, experiment, _json(document))


def _json(document: Any) -> str:
    """Return the document as JSON in which each character is itself: escaped, most would take three times the bytes.

    SQS takes all of them but two, and half surrogate pairs, which are no UTF-8 either: these are escaped.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if written.isascii():
        return written
    return _NOT_FOR_SQS.sub(lambda character: f"\\u{ord(character[0]):04x}", written)


def _experiment(trace: EndedTrace) -> str:
    named = trace.experiment
    if named is Unnamed.AS_HEAD_SAYS:
        named = (trace.head.attributes or {}).get(attributes.EXPERIMENT, "")
    try:
        return "" if named is Unnamed.DEFAULT else text(named)
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


def _with(span: dict[str, Any], added: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the span's attributes and the added ones, which replace others of the same key."""
    own = span.get("attributes", [])
    keys = {item["key"] for item in added if item not in own}
    return [*(item for item in own if item["key"] not in keys), *(item for item in added if item["key"] in keys)]


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
