"""The spans of one request, until they are delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import SpanContext

from offpath import attributes
from offpath.tracing._light_span import AnySpan
from offpath.tracing._otlp import Unnamed


@dataclass(slots=True, eq=False)
class Part:
    """The spans of one request, or of what goes on after it: a span and what lies below it.

    is_root: whether its outermost span is to be the root of a trace in MLflow. experiment: what a span names so far; if
    is_fixed, what the caller or an earlier part decided. is_wanted: None while that is open. telling: spans that were
    delivered before the outermost one, which takes from them what they say of the trace. adopted: parents of spans
    whose own parent is another system's, by span id. number: 1, 2 and so on, in the order of their begin.
    """

    outermost: AnySpan
    is_root: bool
    experiment: Any = Unnamed.AS_HEAD_SAYS
    is_fixed: bool = False
    is_wanted: bool | None = None
    ended: list[AnySpan] = field(default_factory=list)
    telling: Sequence[AnySpan] = ()
    adopted: dict[int, SpanContext] | None = None
    is_delivered: bool = False
    number: int = 0
    trace_id: int = field(init=False)
    outermost_id: int = field(init=False)

    def __post_init__(self) -> None:
        context = self.outermost.get_span_context()
        self.trace_id, self.outermost_id = (context.trace_id, context.span_id) if context else (0, 0)

    @property
    def hangs_on_another_systems(self) -> bool:
        """Whether the parent of the outermost span is in this process, but none of those that are collected."""
        parent = self.outermost.parent
        return parent is not None and not parent.is_remote

    def note_experiment(self, span: AnySpan) -> None:
        """Take the experiment that the span names, if it names one."""
        if not self.is_fixed and (named := (span.attributes or {}).get(attributes.EXPERIMENT)):
            self.experiment = named

    def fix_experiment(self, of_trace: Any) -> None:
        """Take the experiment that earlier parts of the trace lie in, if there are any; what is named later is late."""
        if of_trace is not None:
            self.experiment = of_trace
        elif self.experiment is Unnamed.AS_HEAD_SAYS:
            self.experiment = Unnamed.DEFAULT
        self.is_fixed = True

    def adopt(self, span_id: int, parent: SpanContext) -> None:
        """Hang one of the spans on that parent."""
        if self.adopted is None:
            self.adopted = {}
        self.adopted[span_id] = parent

    def take_adopted(self, spans: Sequence[AnySpan]) -> Mapping[int, SpanContext]:
        """Return the parents of these spans that are other ones than they say, and forget them."""
        adopted = self.adopted or {}
        ids = [context.span_id for span in spans if (context := span.get_span_context())]
        return {span_id: adopted.pop(span_id) for span_id in ids if span_id in adopted}

    def later(self, span: AnySpan) -> "Part":
        """Return the part of the same trace that begins with a later span."""
        return Part(span, is_root=False, experiment=self.experiment, is_fixed=True, is_wanted=self.is_wanted)
