"""Traces from the archive in S3."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from offpath.attributes import EXPERIMENT
from offpath.contracts.errors import OffpathError
from offpath.contracts.names import archive_hour_prefix
from offpath_cli.compare.span import CompareError, Span

_ERROR = 2  # https://opentelemetry.io/docs/specs/otel/trace/api/#set-status, as OTLP numbers it


class Objects(Protocol):
    """The archive's bucket."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with the prefix. Raises Transient."""

    def get(self, key: str) -> bytes:
        """The object's content. Raises ObjectMissing or Transient."""


class ArchivedTraces:
    """What began since a moment. Delivery is at least once: a span seen twice is taken once."""

    def __init__(self, objects: Objects, since: datetime, until: datetime) -> None:
        self._objects = objects
        self._since = since
        self._until = until

    def spans(self, model: str) -> Iterator[list[Span]]:
        """The spans of each event of the model. Raises CompareError."""
        seen: set[tuple[str, str]] = set()
        first = int(self._since.timestamp() * 1e9)  # the archive is by the hour
        for line in self._lines():
            new = [span for span in _spans(line) if (span.trace_id, span.span_id) not in seen]
            event = [span for span in new if span.start >= first]
            seen.update((span.trace_id, span.span_id) for span in event)
            if any(_is_of(span, model) for span in event):
                yield event

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        try:
            for hour in _hours(self._since, self._until):
                for key in self._objects.keys(archive_hour_prefix(hour)):
                    yield from map(json.loads, gzip.decompress(self._objects.get(key)).splitlines())
        except OffpathError as error:
            raise CompareError(f"the archive cannot be read: {error}") from error


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += timedelta(hours=1)


def _is_of(span: Span, model: str) -> bool:
    return str(span.attributes.get(EXPERIMENT, "")).endswith(f"/{model}")


def _spans(line: Mapping[str, Any]) -> Iterator[Span]:
    for group in line["resourceSpans"]:
        for scope in group["scopeSpans"]:
            yield from map(_span, scope["spans"])


def _span(span: Mapping[str, Any]) -> Span:
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        name=span["name"],
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        failed=span.get("status", {}).get("code") == _ERROR,
        attributes={entry["key"]: _value(entry["value"]) for entry in span.get("attributes", [])},
    )


def _value(value: Mapping[str, Any]) -> Any:
    """Of OTLP/JSON's typed values those that are compared; integers are texts there."""
    match value:
        case {"intValue": number}:
            return int(number)
        case {"stringValue": plain} | {"boolValue": plain} | {"doubleValue": plain}:
            return plain
        case _:
            return None
