"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import context as current_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, get_current_span

from offpath.tracing._context import enclosing, is_sending
from offpath.tracing._ended_traces import EndedTraces
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._experiment_state import experiment_in
from offpath.tracing._known_traces import KnownTraces
from offpath.tracing._light_span import AnySpan, LightSpan
from offpath.tracing._open_requests import OpenRequests
from offpath.tracing._otlp import EndedTrace, Unnamed
from offpath.tracing._trace_part import Part

# Of spans of the SDK's that have not ended.
MOST_OPEN_SPANS = 50_000
# Of spans that have ended below one that has not.
MOST_HELD = 5_000

StartedSpan = Span | LightSpan


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
    of its trace: MLflow adds it to the same trace. Of several outermost spans below one of another provider's, the
    first that is delivered is the root of their trace, and the others hang on it.

    What never ends is not kept for ever: of more than ten thousand requests the oldest is delivered as it is, and so
    are five thousand spans below one that is open; if it ends after all, it is delivered then.

    wanted: whether the trace that begins with these spans is delivered at all. continues_experiment: whether a caller's
    `tracestate` decides the experiment of a part of its trace. process: stands for this process; a copy of it has
    another, and leaves what is open to the process that began it.
    """

    def __init__(
        self,
        event_sequence: EventSequence,
        wanted: Callable[[Sequence[AnySpan]], bool] = _any,
        *,
        continues_experiment: bool = False,
    ) -> None:
        self._continues_experiment = continues_experiment
        self._deliver: Callable[[EndedTrace], None] = _nowhere
        self._flush: Callable[[float], bool] = _nothing_to_flush
        self.process: object = object()
        self._lock = threading.RLock()  # the garbage collector may end a span, within any line
        # SDK spans that are open, by span id; None: one that goes nowhere.
        self._sdk_spans: OrderedDict[int, Part | None] = OrderedDict()
        self._anothers: frozenset[int] = frozenset()  # SDK spans that were open as this process was copied
        self._known = KnownTraces()
        self._ended = EndedTraces(event_sequence, self._known, wanted)
        self._open = OpenRequests(self._ended.so_far)

    def deliver_to(self, deliver: Callable[[EndedTrace], None], flush: Callable[[float], bool]) -> None:
        """Deliver traces there from now on. flush: publishes what was delivered, within so many seconds."""
        self._deliver, self._flush = deliver, flush

    def describe_by(self, describe: Callable[[int], Mapping[str, str]]) -> None:
        """Add to the root of each trace what this returns for its trace id; it is called as each part is delivered."""
        self._ended.describe = describe

    def describe_invocations_by(self, of_invocation: Callable[[], Mapping[str, str]]) -> None:
        """Add to the root of each trace what this returns as the trace ends."""
        self._ended.of_invocation = of_invocation

    def begin_anew(self) -> None:
        """Leave what is open, and what has ended below it, to the process that this one is a copy of."""
        self._lock = threading.RLock()
        self._known.begin_anew()
        sdk_spans, self._sdk_spans = self._sdk_spans, OrderedDict()
        self._anothers |= sdk_spans.keys()
        self.process = object()
        for part in self._open.clear():
            part.note_experiment(part.outermost)
            if own := part.outermost.get_span_context():
                self._known.add(own, part, [part.outermost, *part.ended], is_root=part.is_root)
        for span_id, among in sdk_spans.items():
            if among and (own := among.outermost.get_span_context()):
                self._known.add_span(own.trace_id, span_id, is_wanted=among.is_wanted)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note which request a span of the SDK's belongs to."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled:
            return
        context = current_context.get_current() if parent_context is None else parent_context
        with self._lock:
            current = get_current_span(context)
            self._sdk_spans[own.span_id] = None if is_sending(context) else self._part_of(span, own, current, context)
            if len(self._sdk_spans) > MOST_OPEN_SPANS:
                self._sdk_spans.popitem(last=False)
        if self._open.forgotten:
            self._deliver_forgotten()

    def on_light_start(self, span: LightSpan, current: trace.Span, context: Context) -> None:
        """Note which request a light span belongs to: mostly that of the current one, which is a light span, too."""
        if isinstance(current, LightSpan) and current.process is self.process:
            span.part = current.part
            if span.part is None or not span.part.is_delivered:
                return
        with self._lock:
            span.part = None if is_sending(context) else self._part_of(span, span.context, current, context)
        if self._open.forgotten:
            self._deliver_forgotten()

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span of the SDK's, or deliver its request's."""
        own = span.get_span_context()
        if own is None or not own.trace_flags.sampled or own.span_id in self._anothers:
            return
        with self._lock:
            known = own.span_id in self._sdk_spans
            part = self._sdk_spans.pop(own.span_id) if known else self._part_of_unknown(span, own)
        if part is not None:
            self._end(part, span, own.span_id)

    def on_light_end(self, span: LightSpan) -> None:
        """Keep a light span, or deliver its request's."""
        if span.part is not None and span.process is self.process:
            self._end(span.part, span, span.context.span_id)

    def unfinished(self, reason: str) -> list[EndedTrace]:
        """Return what has ended of the requests that have not: their process is about to end, for that reason.

        Each comes with its outermost span as it is by now, marked as an error: MLflow replaces it if it ends after all.
        """
        with self._lock:
            return [event for part in self._open.all() if (event := self._ended.so_far(part, reason))]

    def newest_request(self) -> int:
        """Return the number of the request that began last of those that have not ended, 0 if all have."""
        with self._lock:
            return self._open.newest()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _part_of(self, span: StartedSpan, own: SpanContext, current: trace.Span, context: Context) -> Part | None:
        """Return the part of a span that has a parent, or the new part of one that has none here."""
        parent = span.parent
        if parent is None or parent.is_remote:
            return self._open.add_root(own.trace_id, self._root(span, parent))
        part: Part | None
        if isinstance(current, LightSpan) and current.process is self.process and current.context == parent:
            part = current.part
        elif parent.span_id in self._sdk_spans:
            part = self._sdk_spans[parent.span_id]
        elif (known := self._known.get(own.trace_id)) and (later := known.later(span, parent.span_id)):
            return self._open.add(later)
        else:
            return self._adopt(span, own, context)
        return self._open.add(part.later(span)) if part and part.is_delivered else part

    def _part_of_unknown(self, span: ReadableSpan, own: SpanContext) -> Part:
        """Return the part of a span that ends, and whose start was not noted."""
        return self._open.root_of(own.trace_id) or self._open.add(Part(span, is_root=True))

    def _root(self, span: StartedSpan, caller: SpanContext | None) -> Part:
        if caller is None or not self._continues_experiment:
            return Part(span, is_root=True)
        experiment = experiment_in(caller.trace_state) or Unnamed.DEFAULT
        return Part(span, is_root=True, experiment=experiment, is_fixed=True)

    def _adopt(self, span: StartedSpan, own: SpanContext, context: Context) -> Part:
        """Return the part of a span whose parent another provider made, or whose parent was not sampled."""
        part: Part | None = None
        parent = None
        around = enclosing(context)
        if isinstance(around, LightSpan) and around.process is self.process and around.context.trace_id == own.trace_id:
            part, parent = around.part, around.context
        elif part := self._open.root_of(own.trace_id):
            parent = part.outermost.get_span_context()
        if part is None or parent is None:
            return self._open.add(Part(span, is_root=True))
        if part.is_delivered:
            part = self._open.add(part.later(span))
        part.adopt(own.span_id, parent)
        return part

    def _end(self, part: Part, span: AnySpan, span_id: int) -> None:
        """Put the span among those of its part that have ended, and deliver the part if that was its outermost."""
        with self._lock:
            process = self.process
            part.ended.append(span)
            part.note_experiment(span)  # the outermost span ends last, and has the last word
            if part.is_delivered or part.outermost_id == span_id:
                self._open.remove(part)
                event = self._ended.whole(part, span)
            elif len(part.ended) < MOST_HELD:
                return
            else:
                event = self._ended.without_root(part, span)
        if event is not None and process is self.process:  # else a signal handler has forked within these lines
            self._deliver(event)

    def _deliver_forgotten(self) -> None:
        while self._open.forgotten:
            with self._lock:
                event = self._open.forgotten.pop(0) if self._open.forgotten else None
            if event:
                self._deliver(event)
