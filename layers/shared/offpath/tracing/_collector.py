"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import context as current_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, get_current_span

from offpath import attributes
from offpath.tracing._context import enclosing, is_sending
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._experiment_state import experiment_in
from offpath.tracing._light_span import AnySpan, LightSpan, readable
from offpath.tracing._otlp import EndedTrace

# Of spans that have ended: a later child of one of them belongs to its trace.
MOST_REMEMBERED = 10_000

StartedSpan = Span | LightSpan


@dataclass(slots=True, eq=False)
class _Part:
    """The spans of one request, or of what goes on after it: a span and what lies below it.

    is_root: whether its outermost span is to be the root of a trace in MLflow. experiment: what a span names so far; if
    is_fixed, what the caller or an earlier part decided. is_wanted: None while that is open. adopted: parents of spans
    whose own parent is another system's, by span id.
    """

    outermost: AnySpan
    is_root: bool
    experiment: Any = ""
    is_fixed: bool = False
    is_wanted: bool | None = None
    ended: list[AnySpan] = field(default_factory=list)
    adopted: dict[int, SpanContext] | None = None
    is_delivered: bool = False
    outermost_id: int = field(init=False)

    def __post_init__(self) -> None:
        context = self.outermost.get_span_context()
        self.outermost_id = context.span_id if context else 0

    def note_experiment(self, span: AnySpan) -> None:
        """Take the experiment that the span names, if it names one."""
        if not self.is_fixed and (named := (span.attributes or {}).get(attributes.EXPERIMENT)):
            self.experiment = named

    def later(self, span: AnySpan) -> "_Part":
        """Return the part of the same trace that begins with a later span."""
        return _Part(span, is_root=False, experiment=self.experiment, is_fixed=True, is_wanted=self.is_wanted)


def _nowhere(_: EndedTrace) -> None:
    """Deliver nothing: the collector is not set up yet."""


def _nothing_to_flush(_: float) -> bool:
    return True


def _nothing_said(_: int) -> Mapping[str, str]:
    return {}


def _any(_: Sequence[AnySpan]) -> bool:
    return True


class TraceCollector(SpanProcessor):
    """Gathers ended spans by request, and delivers them when the request's outermost span ends.

    The outermost span is the one with no parent here: it has none at all, or that of a caller, or one that another
    provider made. A span that ends after it (work done behind the response) is delivered on its own, in the experiment
    of its trace: MLflow adds it to the same trace.

    wanted: whether the trace that begins with these spans is delivered at all. continues_experiment: whether a caller's
    `tracestate` decides the experiment of a part of its trace.
    """

    def __init__(
        self,
        event_sequence: EventSequence,
        wanted: Callable[[Sequence[AnySpan]], bool] = _any,
        *,
        continues_experiment: bool = False,
    ) -> None:
        self._event_sequence = event_sequence
        self._wanted = wanted
        self._continues_experiment = continues_experiment
        self._deliver: Callable[[EndedTrace], None] = _nowhere
        self._flush: Callable[[float], bool] = _nothing_to_flush
        self._describe: Callable[[int], Mapping[str, str]] = _nothing_said
        self._lock = threading.RLock()  # the garbage collector may end a span, within any line
        self._undelivered: dict[int, _Part] = {}  # by their objects' ids
        self._roots: dict[int, _Part] = {}  # by trace id: those undelivered whose trace begins here
        self._sdk_spans: dict[int, _Part | None] = {}  # that are open, by span id; None: one that goes nowhere
        self._delivered = _DeliveredParts()

    def deliver_to(self, deliver: Callable[[EndedTrace], None], flush: Callable[[float], bool]) -> None:
        """Deliver traces there from now on. flush: publishes what was delivered, within so many seconds."""
        self._deliver, self._flush = deliver, flush

    def describe_by(self, describe: Callable[[int], Mapping[str, str]]) -> None:
        """Add to the root of each trace what this returns for its trace id; it is called as each part is delivered."""
        self._describe = describe

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note which request a span of the SDK's belongs to."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        context = current_context.get_current() if parent_context is None else parent_context
        with self._lock:
            current = get_current_span(context)
            self._sdk_spans[own.span_id] = None if is_sending(context) else self._part_of(span, own, current, context)

    def on_light_start(self, span: LightSpan, current: trace.Span, context: Context) -> None:
        """Note which request a light span belongs to: mostly that of the current one, which is a light span, too."""
        if isinstance(current, LightSpan) and current.collector is self:
            part = current.part
            if part is not None and part.is_delivered:
                part = self._new(part.later(span))
        else:
            with self._lock:
                part = None if is_sending(context) else self._part_of(span, span.context, current, context)
        span.part = part

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span of the SDK's, or deliver its request's."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        with self._lock:
            known = own.span_id in self._sdk_spans
            part = self._sdk_spans.pop(own.span_id) if known else self._new(_Part(span, is_root=True))
        if part is not None:
            self._end(part, span, own.span_id)

    def on_light_end(self, span: LightSpan) -> None:
        """Keep a light span, or deliver its request's."""
        if span.part is not None:
            self._end(span.part, span, span.context.span_id)

    def unfinished(self, reason: str) -> list[EndedTrace]:
        """Return what has ended of the requests that have not: their process is about to end, for that reason.

        Each comes with its outermost span as it is by now, marked as an error: MLflow replaces it if it ends after all.
        """
        with self._lock:
            return [event for part in [*self._undelivered.values()] if (event := self._so_far(part, reason))]

    def open_requests(self) -> frozenset[int]:
        """Return the span ids of the outermost spans that have not ended."""
        with self._lock:
            contexts = [part.outermost.get_span_context() for part in [*self._undelivered.values()]]
            return frozenset(context.span_id for context in contexts if context)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _part_of(self, span: StartedSpan, own: SpanContext, current: trace.Span, context: Context) -> _Part | None:
        """Return the part of a span that has a parent, or the new part of one that has none here."""
        parent = span.parent
        if parent is None or parent.is_remote:
            root = self._roots[own.trace_id] = self._new(self._root(span, parent))
            return root
        part: _Part | None
        if isinstance(current, LightSpan) and current.collector is self and current.context == parent:
            part = current.part
        elif parent.span_id in self._sdk_spans:
            part = self._sdk_spans[parent.span_id]
        elif later := self._delivered.later(span, parent):
            return self._new(later)
        else:
            return self._adopt(span, own, context)
        return self._new(part.later(span)) if part and part.is_delivered else part

    def _new(self, part: _Part) -> _Part:
        self._undelivered[id(part)] = part
        return part

    def _root(self, span: StartedSpan, caller: SpanContext | None) -> _Part:
        if caller is None or not self._continues_experiment:
            return _Part(span, is_root=True)
        return _Part(span, is_root=True, experiment=experiment_in(caller.trace_state) or None, is_fixed=True)

    def _adopt(self, span: StartedSpan, own: SpanContext, context: Context) -> _Part:
        """Return the part of a span whose parent another provider made, or whose parent was not sampled."""
        part: _Part | None = None
        known = None
        around = enclosing(context)
        if isinstance(around, LightSpan) and around.collector is self and around.context.trace_id == own.trace_id:
            part, known = around.part, around.context
        if part is None and (part := self._roots.get(own.trace_id)):
            known = part.outermost.get_span_context()
        if part is None or known is None or part.is_delivered:
            return self._new(_Part(span, is_root=True))
        part.adopted = {**(part.adopted or {}), own.span_id: known}
        return part

    def _end(self, part: _Part, span: AnySpan, span_id: int) -> None:
        """Put the span among those of its part that have ended, and deliver the part if that was its outermost."""
        with self._lock:
            part.ended.append(span)
            part.note_experiment(span)  # the outermost span ends last, and has the last word
            if not (part.is_delivered or part.outermost_id == span_id):
                return
            event = self._take(part, span)
        if event is not None:
            self._deliver(event)

    def _take(self, part: _Part, head: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, whose outermost span has, and note that it is delivered."""
        spans, part.ended = part.ended, []
        is_root, part.is_delivered = part.is_root and not part.is_delivered, True
        self._undelivered.pop(id(part), None)
        event = self._event(part, spans, head, is_root=is_root)
        if own := head.get_span_context():
            if self._roots.get(own.trace_id) is part:
                del self._roots[own.trace_id]
            self._delivered.add(own.trace_id, part, spans)
        return event

    def _so_far(self, part: _Part, reason: str) -> EndedTrace | None:
        head = _as_error(part.outermost, reason)
        part.note_experiment(head)
        spans, part.ended = [*part.ended, head], []
        return self._event(part, spans, head, is_root=part.is_root)

    def _event(self, part: _Part, spans: list[AnySpan], head: AnySpan, *, is_root: bool) -> EndedTrace | None:
        if not part.is_fixed:
            part.experiment, part.is_fixed = part.experiment or None, True  # what is named later comes too late
        own = head.get_span_context()
        said = self._describe(own.trace_id) if own else {}
        if part.is_wanted is None:
            part.is_wanted = self._wanted(spans)
        if not part.is_wanted:
            return None
        number = self._event_sequence.next()
        return EndedTrace(spans, head, number, part.experiment, is_root=is_root, adopted=part.adopted or {}, said=said)


class _DeliveredParts:
    """Remembers the span ids of parts that were delivered a while ago: a later child of one belongs to its trace."""

    def __init__(self) -> None:
        # Of tuples of numbers and texts, which cost the garbage collector nothing.
        self._parts: deque[tuple[int, tuple[int, ...], Any, bool]] = deque()
        self._count: Counter[int] = Counter()  # of each trace's parts
        self._spans = 0

    def add(self, trace_id: int, part: _Part, spans: Sequence[AnySpan]) -> None:
        ids = tuple(context.span_id for span in spans if (context := span.get_span_context()))
        self._parts.append((trace_id, ids, part.experiment, bool(part.is_wanted)))
        self._count[trace_id] += 1
        self._spans += len(ids)
        while self._spans > MOST_REMEMBERED:
            oldest, ids, _, _ = self._parts.popleft()
            self._spans -= len(ids)
            self._count[oldest] -= 1
            if not self._count[oldest]:
                del self._count[oldest]

    def later(self, span: AnySpan, parent: SpanContext) -> _Part | None:
        """Return the part that begins with a child of a delivered span, or None if that one is not known."""
        if parent.trace_id not in self._count:
            return None
        for trace_id, ids, experiment, is_wanted in reversed(self._parts):
            if trace_id == parent.trace_id and parent.span_id in ids:
                return _Part(span, is_root=False, experiment=experiment, is_fixed=True, is_wanted=is_wanted)
        return None


def _as_error(span: AnySpan, reason: str) -> ReadableSpan:
    """Return a span that has not ended as if it had, with an error, now."""
    so_far = readable(span)
    return ReadableSpan(
        name=so_far.name,
        context=so_far.get_span_context(),
        parent=so_far.parent,
        resource=so_far.resource,
        attributes={**(so_far.attributes or {}), attributes.UNFINISHED: True},
        events=so_far.events,
        links=so_far.links,
        kind=so_far.kind,
        instrumentation_scope=so_far.instrumentation_scope,
        status=Status(StatusCode.ERROR, reason),
        start_time=so_far.start_time,
        end_time=time.time_ns(),
    )
