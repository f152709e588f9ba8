"""Read from an event's OTLP/JSON by what it is chosen: trace, experiment, model, outcome, number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from offpath import attributes
from offpath.attributes import trace_tag
from trace_writer.json_text import parse, shallow

ANSWERED = "answered"
_EPOCH = datetime.fromtimestamp(0, UTC)
# Of any span of an event; the first that has it says it.
_NAMES = (
    attributes.EXPERIMENT,
    attributes.INSTANCE,
    attributes.SEQUENCE,
    attributes.MODEL,
    trace_tag("model"),
    trace_tag(attributes.OUTCOME),
)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Hold what an event says of itself; what it does not say is empty, or None.

    started_at: when its first span began. outcome: `answered`, `refused` or `failed`.
    number: of the process that emitted it, and of the event there.
    """

    trace_id: str = ""
    experiment: str = ""
    model: str = ""
    outcome: str = ANSWERED
    number: tuple[str, int] | None = None
    started_at: datetime | None = None


def event_facts(body: str) -> EventFacts:
    """Return what a request in OTLP/JSON says of itself. Raises MalformedEvent if it is no JSON."""
    try:
        document = parse(body)
    except RecursionError:
        document = parse(shallow(body))
    spans = list(spans_of(document))
    said = _said(spans)
    return EventFacts(
        trace_id=next((str(span["traceId"]).lower() for span in spans if span.get("traceId")), ""),
        experiment=said.get(attributes.EXPERIMENT, ""),
        model=said.get(trace_tag("model")) or said.get(attributes.MODEL, ""),
        outcome=said.get(trace_tag(attributes.OUTCOME), ANSWERED),
        number=_number(said),
        started_at=_started_at(spans),
    )


def spans_of(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the spans of a parsed request; what is not as OTLP has it is passed over."""
    for resource in _objects(document, "resourceSpans"):
        for scope in _objects(resource, "scopeSpans"):
            yield from _objects(scope, "spans")


def attributes_of(span: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a span whose values are a text, a number or a truth value; integers as texts."""
    found: dict[str, Any] = {}
    for item in _objects(span, "attributes"):
        value = item.get("value")
        if isinstance(item.get("key"), str) and isinstance(value, dict) and len(value) == 1:
            found.setdefault(item["key"], next(iter(value.values())))
    return found


def _said(spans: list[dict[str, Any]]) -> dict[str, str]:
    said: dict[str, str] = {}
    for span in spans:
        found = attributes_of(span)
        for name in _NAMES:
            if isinstance(value := found.get(name), str | int):
                said.setdefault(name, str(value))
    return said


def _started_at(spans: list[dict[str, Any]]) -> datetime | None:
    try:
        nanoseconds = min(int(span["startTimeUnixNano"]) for span in spans if "startTimeUnixNano" in span)
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except (ValueError, TypeError, OverflowError):
        return None


def _number(said: Mapping[str, str]) -> tuple[str, int] | None:
    instance, sequence = said.get(attributes.INSTANCE), said.get(attributes.SEQUENCE, "")
    return (instance, int(sequence)) if instance and sequence.isascii() and sequence.isdecimal() else None


def _objects(holder: Any, key: str) -> Iterator[dict[str, Any]]:
    items = holder.get(key) if isinstance(holder, dict) else None
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())
