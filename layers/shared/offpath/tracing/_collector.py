"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import context as current_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, get_current_span

from offpath import attributes
from offpath.tracing._context import enclosing, is_sending
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._experiment_state import experiment_in
from offpath.tracing._known_traces import KnownTraces
from offpath.tracing._light_span import AnySpan, LightSpan, readable
from offpath.tracing._otlp import EndedTrace, Unnamed
from offpath.tracing._root_attributes import telling
from offpath.tracing._trace_part import Part

# Of requests, and of spans of the SDK's, that have not ended. Beyond it the oldest one is held to be forgotten.
MOST_OPEN = 10_000
MOST_OPEN_SPANS = 50_000
# Of spans that have ended below one that has not.
MOST_HELD = 5_000
_FORGOTTEN = f"the span has not ended, and {MOST_OPEN} later requests have begun"

StartedSpan = Span | LightSpan

_log = logging.getLogger(__name__)


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
        self._event_sequence = event_sequence
        self._wanted = wanted
        self._continues_experiment = continues_experiment
        self._deliver: Callable[[EndedTrace], None] = _nowhere
        self._flush: Callable[[float], bool] = _nothing_to_flush
        self._describe: Callable[[int], Mapping[str, str]] = _nothing_said
        self.process: object = object()
        self._lock = threading.RLock()  # the garbage collector may end a span, within any line
        self._numbers = itertools.count(1)
        self._undelivered: dict[int, Part] = {}  # by their objects' ids, the oldest first
        self._roots: dict[int, Part] = {}  # by trace id: those undelivered whose trace begins here
        # SDK spans that are open, by span id; None: one that goes nowhere.
        self._sdk_spans: OrderedDict[int, Part | None] = OrderedDict()
        self._anothers: frozenset[int] = frozenset()  # SDK spans that were open as this process was copied
        self._known = KnownTraces()
        self._forgotten: list[EndedTrace] = []  # that are to be delivered
        self._forgotten_count = 0

    def deliver_to(self, deliver: Callable[[EndedTrace], None], flush: Callable[[float], bool]) -> None:
        """Deliver traces there from now on. flush: publishes what was delivered, within so many seconds."""
        self._deliver, self._flush = deliver, flush

    def describe_by(self, describe: Callable[[int], Mapping[str, str]]) -> None:
        """Add to the root of each trace what this returns for its trace id; it is called as each part is delivered."""
        self._describe = describe

    def begin_anew(self) -> None:
        """Leave what is open, and what has ended below it, to the process that this one is a copy of."""
        self._lock = threading.RLock()
        self._known.begin_anew()
        undelivered, sdk_spans = [*self._undelivered.values()], {**self._sdk_spans}
        self._undelivered, self._roots, self._sdk_spans, self._forgotten = {}, {}, OrderedDict(), []
        self._anothers |= sdk_spans.keys()
        self.process = object()
        for part in undelivered:
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
        if self._forgotten:
            self._deliver_forgotten()

    def on_light_start(self, span: LightSpan, current: trace.Span, context: Context) -> None:
        """Note which request a light span belongs to: mostly that of the current one, which is a light span, too."""
        if isinstance(current, LightSpan) and current.process is self.process:
            span.part = current.part
            if span.part is None or not span.part.is_delivered:
                return
        with self._lock:
            span.part = None if is_sending(context) else self._part_of(span, span.context, current, context)
        if self._forgotten:
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
            return [event for part in [*self._undelivered.values()] if (event := self._so_far(part, reason))]

    def newest_request(self) -> int:
        """Return the number of the request that began last of those that have not ended, 0 if all have."""
        with self._lock:
            newest = next(reversed(self._undelivered.values()), None)
            return newest.number if newest else 0

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _part_of(self, span: StartedSpan, own: SpanContext, current: trace.Span, context: Context) -> Part | None:
        """Return the part of a span that has a parent, or the new part of one that has none here."""
        parent = span.parent
        if parent is None or parent.is_remote:
            root = self._roots[own.trace_id] = self._new(self._root(span, parent))
            return root
        part: Part | None
        if isinstance(current, LightSpan) and current.process is self.process and current.context == parent:
            part = current.part
        elif parent.span_id in self._sdk_spans:
            part = self._sdk_spans[parent.span_id]
        elif (known := self._known.get(own.trace_id)) and (later := known.later(span, parent.span_id)):
            return self._new(later)
        else:
            return self._adopt(span, own, context)
        return self._new(part.later(span)) if part and part.is_delivered else part

    def _part_of_unknown(self, span: ReadableSpan, own: SpanContext) -> Part:
        """Return the part of a span that ends, and whose start was not noted."""
        return self._roots.get(own.trace_id) or self._new(Part(span, is_root=True))

    def _new(self, part: Part) -> Part:
        part.number = next(self._numbers)
        self._undelivered[id(part)] = part
        if len(self._undelivered) > MOST_OPEN:
            self._forget_oldest()
        return part

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
        elif part := self._roots.get(own.trace_id):
            parent = part.outermost.get_span_context()
        if part is None or parent is None:
            return self._new(Part(span, is_root=True))
        if part.is_delivered:
            part = self._new(part.later(span))
        part.adopt(own.span_id, parent)
        return part

    def _end(self, part: Part, span: AnySpan, span_id: int) -> None:
        """Put the span among those of its part that have ended, and deliver the part if that was its outermost."""
        with self._lock:
            process = self.process
            part.ended.append(span)
            part.note_experiment(span)  # the outermost span ends last, and has the last word
            if part.is_delivered or part.outermost_id == span_id:
                event = self._take(part, span)
            elif len(part.ended) < MOST_HELD:
                return
            else:
                event = self._cut(part, span)
        if event is not None and process is self.process:  # else a signal handler has forked within these lines
            self._deliver(event)

    def _take(self, part: Part, head: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, whose outermost span has, and note that it is delivered."""
        spans, part.ended = part.ended, []
        own = head.get_span_context()
        is_outermost = own is not None and own.span_id == part.outermost_id
        part.is_delivered = True
        self._undelivered.pop(id(part), None)
        if own and self._roots.get(own.trace_id) is part:
            del self._roots[own.trace_id]
        if is_outermost and part.telling:
            spans = [*part.telling, *spans]
        return self._event(part, spans, head, is_outermost=is_outermost)

    def _so_far(self, part: Part, reason: str) -> EndedTrace | None:
        """Return what has ended of a part, with its outermost span as it is by now."""
        head = _as_error(part.outermost, reason)
        part.note_experiment(head)
        spans, part.ended = [*part.telling, *part.ended, head], []
        part.telling = telling(spans[:-1])
        return self._event(part, spans, head, is_outermost=True)

    def _cut(self, part: Part, latest: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, without its outermost span, which has not."""
        part.note_experiment(part.outermost)
        spans, part.ended = part.ended, []
        part.telling = telling([*part.telling, *spans])
        if part.is_wanted is None:
            part.is_wanted = self._wanted([*spans, part.outermost])
        return self._event(part, spans, latest, is_outermost=False)

    def _event(self, part: Part, spans: list[AnySpan], head: AnySpan, *, is_outermost: bool) -> EndedTrace | None:
        own = head.get_span_context()
        if own is None:
            return None
        known = self._known.get(own.trace_id)
        is_root = part.is_root and is_outermost
        if known and is_root and known.root_id not in (0, own.span_id) and part.hangs_on_another_systems:
            is_root = False
            part.adopt(own.span_id, SpanContext(own.trace_id, known.root_id, False, own.trace_flags, own.trace_state))
        if not part.is_fixed:
            part.fix_experiment(known.experiment if known else None)
        said = self._describe(own.trace_id)
        if part.is_wanted is None:
            part.is_wanted = self._wanted(spans)
        self._known.add(own, part, spans, is_root=is_root)
        if not part.is_wanted:
            return None
        number = self._event_sequence.next()
        return EndedTrace(spans, head, number, part.experiment, is_root=is_root, adopted=part.adopted or {}, said=said)

    def _forget_oldest(self) -> None:
        """Make what there is of the oldest request ready to be delivered, as nobody is likely to end it."""
        with self._lock:
            oldest = next(iter(self._undelivered.values()))
            del self._undelivered[id(oldest)]
            if event := self._so_far(oldest, _FORGOTTEN):
                self._forgotten.append(event)
            oldest.is_delivered = True
            own = oldest.outermost.get_span_context()
            if own and self._roots.get(own.trace_id) is oldest:
                del self._roots[own.trace_id]
            self._forgotten_count += 1
            if str(self._forgotten_count).strip("0") == "1":  # 1, 10, 100 and so on
                _log.warning(
                    "%d request(s) have not ended, such as %r, and are sent as they are: end each span that is started",
                    self._forgotten_count,
                    oldest.outermost.name,
                )

    def _deliver_forgotten(self) -> None:
        while self._forgotten:
            with self._lock:
                event = self._forgotten.pop(0) if self._forgotten else None
            if event:
                self._deliver(event)


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
