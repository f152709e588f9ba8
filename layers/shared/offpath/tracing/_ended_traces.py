"""Make of a part, or of what there is of it, the trace that leaves the process."""

import time
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode

from offpath import attributes
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._known_traces import KnownTraces
from offpath.tracing._light_span import AnySpan, readable
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._root_attributes import telling
from offpath.tracing._trace_part import Part


def _nothing_said(_: int) -> Mapping[str, str]:
    return {}


class EndedTraces:
    """Makes ended traces, and lets each trace be in one experiment, with one root.

    known: the traces of earlier parts. wanted: whether the trace that begins with these spans is delivered at all.
    describe: returns attributes of the root that others than its spans have set, for a trace id. of_invocation: returns
    those of whatever the trace ends in.
    """

    def __init__(
        self, event_sequence: EventSequence, known: KnownTraces, wanted: Callable[[Sequence[AnySpan]], bool]
    ) -> None:
        self._event_sequence = event_sequence
        self._known = known
        self._wanted = wanted
        self.describe: Callable[[int], Mapping[str, str]] = _nothing_said
        self.of_invocation: Callable[[], Mapping[str, str]] = dict

    def whole(self, part: Part, head: AnySpan) -> EndedTrace | None:
        """Return what has ended of a part, as its outermost span has, or a later one."""
        spans, part.ended = part.ended, []
        own = head.get_span_context()
        is_outermost = own is not None and own.span_id == part.outermost_id
        if is_outermost and part.telling:
            spans = [*part.telling, *spans]
        return self._event(part, spans, head, is_outermost=is_outermost)

    def so_far(self, part: Part, reason: str) -> EndedTrace | None:
        """Return what has ended of a part, with its outermost span as it is by now, as an error for that reason."""
        head = _as_error(part.outermost, reason)
        part.note_experiment(head)
        spans, part.ended = [*part.telling, *part.ended, head], []
        part.telling = telling(spans[:-1])
        return self._event(part, spans, head, is_outermost=True)

    def without_root(self, part: Part, latest: AnySpan) -> EndedTrace | None:
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
        said = self.describe(own.trace_id)
        if of_invocation := self.of_invocation():
            said = {**said, **of_invocation}
        if part.is_wanted is None:
            part.is_wanted = self._wanted(spans)
        self._known.add(own, part, spans, is_root=is_root)
        if not part.is_wanted:
            return None
        number = self._event_sequence.next()
        adopted = part.take_adopted(spans) if part.adopted else {}
        return EndedTrace(spans, head, number, part.experiment, is_root=is_root, adopted=adopted, said=said)


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
