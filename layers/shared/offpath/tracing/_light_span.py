"""Make spans that cost a request as little as can be.

OpenTelemetry's SDK checks and copies every attribute, under a lock, as it is set. These spans note what they are told,
copy only what can change, and become the SDK's when they are encoded, after the response. To the code that makes them
they are spans like any other: current ones, with children, of a caller's trace.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Protocol

from opentelemetry import context as current_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes, AttributeValue
from typing_extensions import override

from offpath.tracing._current_span import CurrentSpan
from offpath.tracing._event_sequence import SystemRandomIds
from offpath.tracing._function_spans import message_of
from offpath.tracing._values import IMMUTABLE, snapshot

ATTRIBUTES_LOST = "offpath.attributes_lost"
DEFAULT_TRACE_STATE = TraceState()
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
# Span ids must differ within a trace. They begin with one at random, and go on in steps of 2**64 divided by the golden
# ratio, which come back to none for 2**64 steps (https://en.wikipedia.org/wiki/Hash_function#Fibonacci_hashing).
_ID_STEP = 0x9E3779B97F4A7C15
_ID_MASK = 2**64 - 1
_UNSET = Status()
# Whose span ids mean nothing but that they differ: a trace's go on from one of them, which is quicker.
_PLAIN_GENERATORS = (RandomIdGenerator, SystemRandomIds)


class LightSpan(trace.Span):
    """A span that notes what it is told. It belongs to one request, and is not for several threads at once."""

    def __init__(
        self, tracer: "LightTracer", name: str, context: SpanContext, parent: SpanContext | None, start_time: int
    ) -> None:
        self._tracer = tracer
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = SpanKind.INTERNAL
        self._attributes: dict[str, Any] = {}
        self._events: list[Event] = []
        self._links: list[Link] = []
        self.status = _UNSET
        self.start_time = start_time
        self.end_time: int | None = None
        # Whom the span belongs to in which process, what it shares with its request there, and its children's ids.
        self.process = tracer.collector.process
        self.part: Any = None
        self.ids: Iterator[int] = iter(())

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Return what was set so far."""
        return self._attributes

    @property
    def events(self) -> Sequence[Event]:
        """Return what was noted so far."""
        return self._events

    def get_span_context(self) -> SpanContext:
        """Return ids and flags."""
        return self.context

    def is_recording(self) -> bool:
        """Return whether the span is open."""
        return self.end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Note an attribute."""
        if self.end_time is None:
            try:
                self._attributes[key] = value if type(value) in IMMUTABLE else snapshot(value)
            except TypeError:  # a key that cannot be one
                self._attributes[ATTRIBUTES_LOST] = snapshot(repr(type(key)))

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Note attributes."""
        if self.end_time is None:
            self._attributes.update(_snapshots(attributes))

    def update_name(self, name: str) -> None:
        """Give the span another name."""
        if self.end_time is None:
            self.name = name

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Note an event; the timestamp is in nanoseconds since the epoch, or now."""
        if self.end_time is None:
            self._events.append(Event(name, _snapshots(attributes), timestamp or time.time_ns()))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Note a link to another span."""
        if self.end_time is None:
            self._links.append(Link(context, _snapshots(attributes)))

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; one of OK is final (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status)."""
        given = status if isinstance(status, Status) else Status(status, description)
        if self.end_time is None and self.status.status_code is not StatusCode.OK and not given.is_unset:
            self.status = given

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Note an exception (https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/)."""
        described = {
            "exception.type": _qualified_name(type(exception)),
            "exception.message": message_of(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**described, **_snapshots(attributes)}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End the span, once; the time is in nanoseconds since the epoch, or now."""
        if self.end_time is None:
            self.end_time = end_time or time.time_ns()
            self._tracer.ended(self)

    def readable(self) -> ReadableSpan:
        """Return the span as one of the SDK's."""
        return ReadableSpan(
            name=self.name,
            context=self.context,
            parent=self.parent,
            resource=self._tracer.resource,
            attributes=self._attributes,
            events=self._events,
            links=self._links,
            kind=self.kind,
            instrumentation_scope=self._tracer.scope,
            status=self.status,
            start_time=self.start_time,
            end_time=self.end_time,
        )


def _qualified_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _snapshots(attributes: Attributes) -> dict[str, Any]:
    """Return the attributes as they are now. Does not raise."""
    try:
        return {key: snapshot(value) for key, value in (attributes or {}).items()}
    except Exception:  # no mapping, or one that raises
        return {ATTRIBUTES_LOST: snapshot(repr(type(attributes)))}


AnySpan = ReadableSpan | LightSpan


def readable(span: AnySpan) -> ReadableSpan:
    """Return the span as one of the SDK's."""
    return span.readable() if isinstance(span, LightSpan) else span


# Of a span: name, kind, attributes, links, and start time.
How = tuple[str, SpanKind, Attributes, Sequence[Link] | None, int | None]


class Collector(Protocol):
    """Follows spans from their start to their end.

    process: stands for the collector in this process; it is another object in a copy of the process.
    """

    process: object

    def on_light_start(self, span: LightSpan, current: trace.Span, context: Context) -> None:
        """Note that a span has started in that context, whose current span that is."""

    def on_light_end(self, span: LightSpan) -> None:
        """Note that a span has ended."""


class LightTracer(trace.Tracer):
    """Makes light spans, every one of them sampled, and hands them to a collector.

    new_state: returns the state of a trace that begins with a span of such attributes.
    """

    def __init__(
        self,
        scope: str,
        resource: Resource,
        ids: IdGenerator,
        collector: Collector,
        new_state: Callable[[Attributes], TraceState] | None = None,
    ) -> None:
        self.scope = InstrumentationScope(scope)
        self.resource = resource
        self._ids = ids
        self.collector = collector
        self._new_state = new_state
        self._is_plain = type(ids) in _PLAIN_GENERATORS

    @override
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> LightSpan:
        """Start a span, child of the context's current one; the time is in nanoseconds since the epoch, or now."""
        around = current_context.get_current() if context is None else context
        return self.start_in(around, (name, kind, attributes, links, start_time))

    def start_in(self, context: Context, how: How) -> LightSpan:
        """Start a span as `start_span` does, in a context that was looked up."""
        name, kind, attributes, links, start_time = how
        current = context.get(_SPAN_KEY)
        if isinstance(current, LightSpan) and current.process is self.collector.process:
            parent: SpanContext | None = current.context
            ids, trace_id, state = current.ids, current.context.trace_id, current.context.trace_state
        else:
            current, parent = _foreign(current)
            first = self._ids.generate_span_id
            ids = count(first(), _ID_STEP) if self._is_plain else iter(first, None)
            trace_id = parent.trace_id if parent else self._ids.generate_trace_id()
            state = parent.trace_state if parent else self._state_of(attributes)
        own = SpanContext(trace_id, next(ids) & _ID_MASK, False, SAMPLED, state)
        span = LightSpan(self, name, own, parent, start_time or time.time_ns())
        span.ids = ids
        span.kind = kind
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link.context, link.attributes)
        self.collector.on_light_start(span, current, context)
        return span

    @override
    def start_as_current_span(  # type: ignore[override]  # the API's own type is that of a generator
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> CurrentSpan:
        """Return a span to come: as a context manager, of its block; as a decorator, of each call of the function."""
        how = (name, kind, attributes, links, start_time)
        return CurrentSpan(self, context, how, (end_on_exit, record_exception, set_status_on_exception))

    def ended(self, span: LightSpan) -> None:
        """Hand on a span of this tracer that has ended."""
        self.collector.on_light_end(span)

    def _state_of(self, attributes: Attributes) -> TraceState:
        return self._new_state(attributes) if self._new_state else DEFAULT_TRACE_STATE


def _foreign(found: object) -> tuple[trace.Span, SpanContext | None]:
    """Return a context's current span that another tracer made, if it has one, and that span as a parent."""
    current = found if isinstance(found, trace.Span) else trace.INVALID_SPAN
    context = current.get_span_context()
    return current, context if context.is_valid else None
