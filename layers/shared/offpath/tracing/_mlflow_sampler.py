"""Decide which of MLflow's spans are made, now that they share a context with spans of others."""

from collections.abc import Sequence

from opentelemetry import context as current_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState, get_current_span
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.util.types import Attributes
from typing_extensions import override

from offpath.tracing._context import is_sending


class Unsampled(TraceState):
    """The state of one of MLflow's spans that is not made, so that those below it are not made either."""


def is_left_out(span: SpanContext) -> bool:
    """Return whether a sampler of MLflow's has left out the span, which MLflow made or read from a caller's headers."""
    return isinstance(span.trace_state, Unsampled) or (span.is_remote and not span.trace_flags.sampled)


class MlflowSampler(Sampler):
    """MLflow's own sampler, which hears nothing of what others have decided.

    MLflow alone would not see another system's span. So a span of MLflow's below one that is not sampled, such as one
    of X-Ray's, is decided on like the first of a trace. Within `untraced` there is none.
    """

    def __init__(self, own: Sampler) -> None:
        self._own = own

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return whether the span is made, with its parent's state."""
        context = current_context.get_current() if parent_context is None else parent_context
        parent = get_current_span(context).get_span_context()
        if is_sending(context) or isinstance(parent.trace_state, Unsampled):
            return SamplingResult(Decision.DROP, trace_state=Unsampled())
        if parent.is_valid and not parent.trace_flags.sampled:
            context = Context({key: value for key, value in context.items() if key != _SPAN_KEY})
        found = self._own.should_sample(context, trace_id, name, kind, attributes, links, trace_state)
        state = parent.trace_state if found.decision is not Decision.DROP else Unsampled()
        return SamplingResult(found.decision, found.attributes, state)

    @override
    def get_description(self) -> str:
        """Return the sampler's name."""
        return f"MlflowSampler({self._own.get_description()})"
