"""Make a span that has ended one that OTLP can carry: what cannot be kept is dropped alone, and reported."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from offpath.tracing._json_values import with_plain_values
from offpath.tracing._values import NoValue, clean, nanoseconds, snapshot, text

NO_NAME = "unnamed"
# https://opentelemetry.io/docs/specs/semconv/resource/#service
UNKNOWN_SERVICE = "unknown_service"
_SHOWN_CHARACTERS = 80


class SpanCleaner:
    """Cleans the spans of one trace. dropped: what could not be kept, and where, as texts for people.

    service_name: of a resource that names none, as that of a provider which was made without one.
    """

    def __init__(self, service_name: str = "") -> None:
        self._service_name = service_name
        self.dropped: list[str] = []
        self._resources: dict[int, Resource] = {}
        self._scopes: dict[int, InstrumentationScope | None] = {}

    def clean(self, span: ReadableSpan, parent: SpanContext | None) -> ReadableSpan:
        """Return the span, with that parent, as OTLP can carry it. Does not raise for anything that can be set."""
        name = self._text(span.name, "a span's name") or NO_NAME
        start, end = self._times(span, name)
        return ReadableSpan(
            name=name,
            context=span.get_span_context(),
            parent=parent,
            resource=self._resource(span.resource),
            attributes=self._attributes(with_plain_values(span.attributes or {}), name, span.dropped_attributes),
            events=list(self._events(span.events, name, end)),
            links=list(self._links(span.links, name)),
            kind=span.kind if isinstance(span.kind, SpanKind) else SpanKind.INTERNAL,
            instrumentation_scope=self._scope(span.instrumentation_scope),
            status=self._status(span.status, name),
            start_time=start,
            end_time=end,
        )

    def _times(self, span: ReadableSpan, name: str) -> tuple[int, int]:
        """Return start and end; one that is no time is taken from the other."""
        start, end = nanoseconds(span.start_time), nanoseconds(span.end_time)
        for field, given, kept in (("start", span.start_time, start), ("end", span.end_time, end)):
            if kept is None:
                self._drop(f"{field} of span {name!r}", f"{_shown(given)} is no time in nanoseconds from 1970 to 2262")
        if start is None:
            start = end or time.time_ns()
        return start, start if end is None else end

    def _attributes(
        self, given: Mapping[Any, Any] | None, where: str, dropped_before: int = 0
    ) -> Mapping[str, AttributeValue]:
        kept: dict[str, Any] = {}
        dropped = dropped_before
        for key, value in (given or {}).items():
            try:
                kept[_key(key)] = clean(snapshot(value))
            except NoValue as error:
                dropped += 1
                self._drop(f"attribute {_shown(key)} of {where!r}", str(error))
        if not dropped:
            return kept
        counted = BoundedAttributes(attributes=kept)
        counted.dropped = dropped  # the encoder reads it from this class alone
        return counted

    def _events(self, given: Sequence[Event], span: str, end: int) -> Iterator[Event]:
        for event in given:
            name = self._text(event.name, f"the name of an event of {span!r}") or NO_NAME
            when = nanoseconds(event.timestamp)
            if when is None:
                self._drop(f"time of event {name!r} of {span!r}", f"{_shown(event.timestamp)} is no time")
            attributes = self._attributes(event.attributes, name, event.dropped_attributes)
            yield Event(name, attributes, end if when is None else when)

    def _links(self, given: Iterable[Link], span: str) -> Iterator[Link]:
        for link in given:
            if isinstance(link.context, SpanContext):
                yield Link(link.context, self._attributes(link.attributes, span, link.dropped_attributes))
            else:
                self._drop(f"a link of {span!r}", f"{_shown(link.context)} is no span context")

    def _status(self, given: Status, span: str) -> Status:
        if given.description is None or not isinstance(given.status_code, StatusCode):
            return given
        # The SDK takes a description with errors alone.
        described = self._text(given.description, f"the status of {span!r}")
        return Status(given.status_code, described if given.status_code is StatusCode.ERROR else None)

    def _resource(self, given: Resource) -> Resource:
        """Return the resource, the same one for the same: spans are grouped by it."""
        if id(given) not in self._resources:
            attributes = dict(self._attributes(given.attributes, "the resource"))
            named = str(attributes.get(SERVICE_NAME, UNKNOWN_SERVICE))
            if self._service_name and named.startswith(UNKNOWN_SERVICE):
                attributes[SERVICE_NAME] = self._service_name
            self._resources[id(given)] = Resource(attributes)
        return self._resources[id(given)]

    def _scope(self, given: InstrumentationScope | None) -> InstrumentationScope | None:
        if id(given) not in self._scopes:
            self._scopes[id(given)] = given and InstrumentationScope(
                self._text(given.name, "a scope's name"),
                given.version and self._text(given.version, "a scope's version"),
                given.schema_url,
                self._attributes(given.attributes, "a scope"),
            )
        return self._scopes[id(given)]

    def _text(self, given: Any, where: str) -> str:
        try:
            return "" if given is None else text(given)
        except NoValue as error:
            self._drop(where, str(error))
            return ""

    def _drop(self, where: str, why: str) -> None:
        self.dropped.append(f"{where}: {why}")


def _key(given: Any) -> str:
    key = text(given)
    if not key:
        raise NoValue("its key is empty")
    return key


def _shown(value: Any) -> str:
    """Return the value for a message, in ASCII and shortened. Does not raise."""
    try:
        return ascii(value)[:_SHOWN_CHARACTERS]
    except Exception:  # whatever the object's own method raises
        return f"a {type(value).__qualname__}"
