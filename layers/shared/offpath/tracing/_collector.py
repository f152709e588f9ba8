"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
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


# What later spans of a trace need to know: its experiment, and whether it is sent; None: it goes nowhere. A plain tuple
# costs the garbage collector nothing.
Decided = tuple[Any, bool] | None


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
        # By span id: spans that are open, or have ended in a part that is not delivered; None: it goes nowhere.
        self._live: dict[int, _Part | None] = {}
        self._decided: OrderedDict[int, Decided] = OrderedDict()
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
            self._live[own.span_id] = None if is_sending(parent_context) else self._part_of(span, own, parent_context)

    def on_end(self, span: AnySpan) -> None:
        """Keep the span, or deliver its request's."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        with self._lock:
            part = self._ended(span, own.span_id)
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
            return [event for part in self._undelivered() if (event := self._so_far(part, reason))]

    def open_requests(self) -> frozenset[int]:
        """Return the span ids of the outermost spans that have not ended."""
        with self._lock:
            contexts = [part.outermost.get_span_context() for part in self._undelivered()]
            return frozenset(context.span_id for context in contexts if context)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _undelivered(self) -> Iterable[_Part]:
        return {id(part): part for part in self._live.values() if part and not part.is_delivered}.values()

    def _part_of(self, span: StartedSpan, own: SpanContext, context: Context | None) -> _Part | None:
        parent = span.parent
        if parent is None or parent.is_remote:
            root = self._roots[own.trace_id] = self._new_root(span, parent)
            return root
        if parent.span_id in self._live:
            part = self._live[parent.span_id]
            return part.later(span) if part and part.is_delivered else part
        if parent.span_id in self._decided:
            return _later(span, self._decided[parent.span_id])
        return self._adopt(span, own, context)

    def _new_root(self, span: StartedSpan, caller: SpanContext | None) -> _Part:
        if caller is None or not self._continues_experiment:
            return _Part(span, is_root=True)
        return _Part(span, is_root=True, experiment=experiment_in(caller.trace_state) or None, is_fixed=True)

    def _adopt(self, span: StartedSpan, own: SpanContext, context: Context | None) -> _Part:
        """Return the part of a span whose parent another provider made, or whose parent was not sampled."""
        known = enclosing(context)
        part = self._live.get(known.span_id) if known and known.trace_id == own.trace_id else None
        if part is None and (part := self._roots.get(own.trace_id)):
            known = part.outermost.get_span_context()
        if part is None or known is None or part.is_delivered:
            return _Part(span, is_root=True)
        part.adopted = {**(part.adopted or {}), own.span_id: known}
        return part

    def _ended(self, span: AnySpan, span_id: int) -> _Part | None:
        """Put the span among those of its part that have ended, and return the part."""
        part = self._live[span_id] if span_id in self._live else _Part(span, is_root=True)
        if part is None:
            self._remember(span_id, None)
        else:
            part.ended.append(span)
            part.note_experiment(span)  # the outermost span ends last, and has the last word
        return part

    def _take(self, part: _Part, head: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, whose outermost span has, and note that it is delivered."""
        spans, part.ended = part.ended, []
        is_root, part.is_delivered = part.is_root and not part.is_delivered, True
        if (own := part.outermost.get_span_context()) and self._roots.get(own.trace_id) is part:
            del self._roots[own.trace_id]
        event = self._event(part, spans, head, is_root=is_root)
        decided = (part.experiment, bool(part.is_wanted))
        for span in spans:
            if own := span.get_span_context():
                self._remember(own.span_id, decided)
        return event

    def _so_far(self, part: _Part, reason: str) -> EndedTrace | None:
        head = _as_error(part.outermost, reason)
        part.note_experiment(head)
        spans, part.ended = [*part.ended, head], []
        return self._event(part, spans, head, is_root=part.is_root)

    def _event(self, part: _Part, spans: list[AnySpan], head: AnySpan, *, is_root: bool) -> EndedTrace | None:
        part.is_fixed = True
        if part.is_wanted is None:
            part.is_wanted = self._wanted(spans)
        if not part.is_wanted:
            return None
        number = self._event_sequence.next()
        return EndedTrace(spans, head, number, part.experiment, is_root=is_root, adopted=part.adopted or {})

    def _remember(self, span_id: int, decided: Decided) -> None:
        self._live.pop(span_id, None)
        self._decided[span_id] = decided
        if len(self._decided) > MOST_REMEMBERED:
            self._decided.popitem(last=False)


def _later(span: AnySpan, decided: Decided) -> _Part | None:
    """Return the part of a span whose parent's trace was delivered."""
    if decided is None:
        return None
    experiment, is_wanted = decided
    return _Part(span, is_root=False, experiment=experiment, is_fixed=True, is_wanted=is_wanted)


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
