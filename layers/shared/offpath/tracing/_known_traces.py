"""Remember the traces that were delivered a while ago: what comes later of one belongs to it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanContext

from offpath.tracing._light_span import AnySpan
from offpath.tracing._otlp import Unnamed
from offpath.tracing._trace_part import Part

# Of spans.
MOST_REMEMBERED = 10_000

# Whether a part was wanted, and the ids of its spans. Tuples of numbers and texts cost the garbage collector nothing.
_Ids = tuple[int, ...]
# The root's span id, or 0; the experiment, empty for the default, None if no part was wanted; and each part.
_Entry = tuple[int, Any, tuple[_Ids, ...]]
_UNKNOWN: _Entry = (0, None, ())


@dataclass(frozen=True, slots=True)
class KnownTrace:
    """A trace of which parts were delivered.

    root_id: its root's span id, 0 if that was not delivered. experiment: None if no part was wanted.
    """

    root_id: int
    experiment: Any
    _parts: tuple[_Ids, ...]

    def later(self, span: AnySpan, parent_id: int) -> Part | None:
        """Return the part that begins with a child of a span that was delivered, or None if that one is not known."""
        for is_wanted, *ids in reversed(self._parts):
            if parent_id in ids:
                return Part(span, is_root=False, experiment=self.experiment, is_fixed=True, is_wanted=bool(is_wanted))
        return None


class KnownTraces:
    """The traces of the last ten thousand spans."""

    def __init__(self) -> None:
        self._traces: dict[int, _Entry] = {}
        self._order: deque[tuple[int, int]] = deque()  # the trace of each part, and how many spans it has
        self._spans = 0

    def __len__(self) -> int:
        return max(self._spans, len(self._traces))

    def get(self, trace_id: int) -> KnownTrace | None:
        """Return what is known of a trace, or None if nothing is."""
        entry = self._traces.get(trace_id)
        if entry is None:
            return None
        root_id, experiment, parts = entry
        return KnownTrace(root_id, Unnamed.DEFAULT if experiment == "" else experiment, parts)

    def add(self, own: SpanContext, part: Part, spans: Sequence[AnySpan], *, is_root: bool) -> None:
        """Remember the spans of a part, whose head that context is."""
        root_id, experiment, parts = self._traces.get(own.trace_id) or _UNKNOWN
        is_wanted = part.is_wanted is not False
        if is_wanted:
            root_id = root_id or (own.span_id if is_root else 0)
            if experiment is None:
                experiment = "" if isinstance(part.experiment, Unnamed) else part.experiment
        ids = (is_wanted, *[context.span_id for span in spans if (context := span.get_span_context())])
        self._put(own.trace_id, (root_id, experiment, (*parts, ids)), len(ids))

    def add_span(self, trace_id: int, span_id: int, *, is_wanted: bool | None) -> None:
        """Remember a span of a trace. is_wanted: None while that is open."""
        root_id, experiment, parts = self._traces.get(trace_id) or _UNKNOWN
        self._put(trace_id, (root_id, experiment, (*parts, (is_wanted is not False, span_id))), 2)

    def _put(self, trace_id: int, entry: _Entry, more: int) -> None:
        self._traces[trace_id] = entry
        self._order.append((trace_id, more))
        self._spans += more
        while self._spans > MOST_REMEMBERED:
            self._forget_oldest()

    def begin_anew(self) -> None:
        """Count again: another thread may have been counting as this process was copied."""
        self._order = deque((trace_id, len(ids)) for trace_id, (_, _, parts) in self._traces.items() for ids in parts)
        self._spans = sum(count for _, count in self._order)

    def _forget_oldest(self) -> None:
        trace_id, count = self._order.popleft()
        self._spans -= count
        root_id, experiment, parts = self._traces.get(trace_id, _UNKNOWN)
        if parts[1:]:
            self._traces[trace_id] = (root_id, experiment, parts[1:])
        else:
            self._traces.pop(trace_id, None)
