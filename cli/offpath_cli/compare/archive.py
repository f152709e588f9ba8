"""Read traces from the archive in S3."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NotRequired, Protocol, TypedDict

from offpath.attributes import MODEL, trace_tag
from offpath.contracts.errors import OffpathError
from offpath.contracts.names import archive_hour_prefix
from offpath_cli.compare.span import Span
from offpath_cli.errors import CompareError

_ERROR = 2  # https://opentelemetry.io/docs/specs/otel/trace/api/#set-status, as OTLP numbers it


class OtlpAttribute(TypedDict):
    """An attribute of a span, in OTLP/JSON. value: its value by the name of its type."""

    key: str
    value: dict[str, object]


class OtlpStatus(TypedDict, total=False):
    """The status of a span, in OTLP/JSON."""

    code: int


class OtlpSpan(TypedDict):
    """A span in OTLP/JSON, which writes 64-bit numbers as texts."""

    traceId: str
    spanId: str
    parentSpanId: NotRequired[str]
    name: str
    startTimeUnixNano: str
    endTimeUnixNano: str
    status: NotRequired[OtlpStatus]
    attributes: NotRequired[list[OtlpAttribute]]


class OtlpScope(TypedDict):
    """The spans of one instrumentation scope, in OTLP/JSON."""

    spans: list[OtlpSpan]


class OtlpResource(TypedDict):
    """The spans of one resource, in OTLP/JSON."""

    scopeSpans: list[OtlpScope]


class OtlpTraces(TypedDict):
    """One line of the archive: an event in OTLP/JSON."""

    resourceSpans: list[OtlpResource]


class ArchiveBucket(Protocol):
    """Read the archive's bucket."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Return every key that begins with the prefix. Raises Transient."""

    def get(self, key: str) -> bytes:
        """Return the object's content. Raises ObjectMissing or Transient."""


class ArchivedTraces:
    """Read the traces of a period. Delivery is at least once: a span that is there twice is taken once."""

    def __init__(self, bucket: ArchiveBucket, since: datetime, until: datetime) -> None:
        self._bucket = bucket
        self._since = since
        self._until = until

    def spans(self, model: str) -> Iterator[list[Span]]:
        """Yield the spans of each event of the model. Raises CompareError."""
        seen: set[tuple[str, str]] = set()
        first = int(self._since.timestamp() * 1e9)  # the archive is by the hour
        for line in self._lines():
            new = [span for span in _spans(line) if (span.trace_id, span.span_id) not in seen]
            event = [span for span in new if span.start >= first]
            seen.update((span.trace_id, span.span_id) for span in event)
            if any(_is_of(span, model) for span in event):
                yield event

    def _lines(self) -> Iterator[OtlpTraces]:
        try:
            for hour in _hours(self._since, self._until):
                for key in self._bucket.keys(archive_hour_prefix(hour)):
                    yield from map(json.loads, gzip.decompress(self._bucket.get(key)).splitlines())
        except OffpathError as error:
            raise CompareError(f"the archive cannot be read: {error}") from error


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += timedelta(hours=1)


def _is_of(span: Span, model: str) -> bool:
    """Tell whether the span is the model's, in whichever experiment: a trace that is continued lies in its caller's."""
    return model in (span.attributes.get(MODEL), span.attributes.get(trace_tag("model")))


def _spans(line: OtlpTraces) -> Iterator[Span]:
    for resource in line["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from map(_span, scope["spans"])


def _span(span: OtlpSpan) -> Span:
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


def _value(value: dict[str, object]) -> object:
    """Return the value of those OTLP types that are compared, and None for others; integers are texts in OTLP/JSON."""
    match value:
        case {"intValue": int() | str() as number}:
            return int(number)
        case {"stringValue": plain} | {"boolValue": plain} | {"doubleValue": plain}:
            return plain
        case _:
            return None
