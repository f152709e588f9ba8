"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode

from offpath import attributes
from offpath.tracing._context import enclosing, is_sending
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._experiment_state import experiment_in
from offpath.tracing._light_span import AnySpan, LightSpan, readable
from offpath.tracing._otlp import EndedTrace

# Of spans that have ended: a later child of one of them belongs to its trace.
MOST_REMEMBERED = 10_000

StartedSpan = Span | LightSpan


@dataclass(slots=True)
class _Trace:
    """What the parts of one trace share.

    is_fixed: the experiment is decided, by the caller or by the first part. is_wanted: None while that is open.
    """

    experiment: Any = ""
    is_fixed: bool = False
    is_wanted: bool | None = None

    def note_experiment(self, span: AnySpan) -> None:
        """Take the experiment that the span names, if it names one."""
        if not self.is_fixed and (named := (span.attributes or {}).get(attributes.EXPERIMENT)):
            self.experiment = named


@dataclass(slots=True, eq=False)
class _Part:
    """The spans of one request, or of what goes on after it: a span and what lies below it.

    is_root: whether its outermost span is to be the root of a trace in MLflow. adopted: parents of spans whose own
    parent is another system's, by span id.
    """

    trace: _Trace
    outermost: AnySpan
    is_root: bool
    ended: list[AnySpan] = field(default_factory=list)
    adopted: dict[int, SpanContext] = field(default_factory=dict)
    is_delivered: bool = False


def _nowhere(_: EndedTrace) -> None:
    """Deliver nothing: the collector is not set up yet."""


def _nothing_to_flush(_: float) -> bool:
    return True


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
        self._lock = threading.RLock()  # the garbage collector may end a span, within any line
        self._open: dict[int, _Part | None] = {}  # by span id; None: a span that goes nowhere
        self._remembered: OrderedDict[int, _Part | None] = OrderedDict()
        self._roots: dict[int, _Part] = {}  # by trace id: those open whose trace begins here

    def deliver_to(self, deliver: Callable[[EndedTrace], None], flush: Callable[[float], bool]) -> None:
        """Deliver traces there from now on. flush: publishes what was delivered, within so many seconds."""
        self._deliver, self._flush = deliver, flush

    def on_start(self, span: StartedSpan, parent_context: Context | None = None) -> None:
        """Note which request the span belongs to."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        with self._lock:
            self._open[own.span_id] = None if is_sending(parent_context) else self._part_of(span, own, parent_context)

    def on_end(self, span: AnySpan) -> None:
        """Keep the span, or deliver its request's."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        with self._lock:
            part = self._ended(span, own)
            if part is None or not (part.is_delivered or part.outermost.get_span_context() == own):
                return
            ended = self._take(part, span)
        if ended is not None:
            self._deliver(ended)

    def unfinished(self, reason: str) -> list[EndedTrace]:
        """Return what has ended of the requests that have not: their process is about to end, for that reason.

        Each comes with its outermost span as it is by now, marked as an error: MLflow replaces it if it ends after all.
        """
        with self._lock:
            parts = {id(part): part for part in self._open.values() if part and not part.is_delivered}
            return [event for part in parts.values() if (event := self._so_far(part, reason))]

    def open_requests(self) -> frozenset[int]:
        """Return the span ids of the outermost spans that have not ended."""
        with self._lock:
            open_parts = [part for part in self._open.values() if part and not part.is_delivered]
            contexts = [part.outermost.get_span_context() for part in open_parts]
            return frozenset(context.span_id for context in contexts if context)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _part_of(self, span: StartedSpan, own: SpanContext, context: Context | None) -> _Part | None:
        parent = span.parent
        if parent is None or parent.is_remote:
            self._roots[own.trace_id] = root = _Part(self._trace_of(parent), span, is_root=True)
            return root
        for known in (self._open, self._remembered):
            if parent.span_id in known:
                part = known[parent.span_id]
                return _Part(part.trace, span, is_root=False) if part and part.is_delivered else part
        return self._adopt(span, own, context)

    def _adopt(self, span: StartedSpan, own: SpanContext, context: Context | None) -> _Part:
        """Return the part of a span whose parent another provider made, or whose parent was not sampled."""
        known = enclosing(context)
        part = self._open.get(known.span_id) if known and known.trace_id == own.trace_id else None
        if part is None and (part := self._roots.get(own.trace_id)):
            known = part.outermost.get_span_context()
        if part is None or known is None or part.is_delivered:
            return _Part(_Trace(), span, is_root=True)
        part.adopted[own.span_id] = known
        return part

    def _trace_of(self, caller: SpanContext | None) -> _Trace:
        if caller is None or not self._continues_experiment:
            return _Trace()
        return _Trace(experiment_in(caller.trace_state) or None, is_fixed=True)

    def _ended(self, span: AnySpan, own: SpanContext) -> _Part | None:
        """Put the span among those of its part that have ended, and return the part."""
        part = self._open.pop(own.span_id) if own.span_id in self._open else _Part(_Trace(), span, is_root=True)
        self._remembered[own.span_id] = part
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        if part is not None:
            part.ended.append(span)
            part.trace.note_experiment(span)  # the outermost span ends last, and has the last word
        return part

    def _take(self, part: _Part, head: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, whose outermost span has, and note that it is delivered."""
        spans, part.ended = part.ended, []
        is_root, part.is_delivered = part.is_root and not part.is_delivered, True
        if (own := part.outermost.get_span_context()) and self._roots.get(own.trace_id) is part:
            del self._roots[own.trace_id]
        return self._event(part, spans, head, is_root=is_root)

    def _so_far(self, part: _Part, reason: str) -> EndedTrace | None:
        head = _as_error(part.outermost, reason)
        part.trace.note_experiment(head)
        spans, part.ended = [*part.ended, head], []
        return self._event(part, spans, head, is_root=part.is_root)

    def _event(self, part: _Part, spans: list[AnySpan], head: AnySpan, *, is_root: bool) -> EndedTrace | None:
        trace = part.trace
        trace.is_fixed = True
        if trace.is_wanted is None:
            trace.is_wanted = self._wanted(spans)
        if not trace.is_wanted:
            return None
        number = self._event_sequence.next()
        return EndedTrace(spans, head, number, part.trace.experiment, is_root=is_root, adopted=part.adopted)


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
