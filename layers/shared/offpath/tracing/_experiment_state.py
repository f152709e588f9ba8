"""Tell those whom a trace continues with which experiment it lies in: in `tracestate`, as `offpath=<experiment>`."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from typing_extensions import override

from offpath.attributes import EXPERIMENT

KEY = "offpath"
# https://www.w3.org/TR/trace-context/#value
LONGEST = 256


def state_of(attributes: Mapping[str, Any] | None, default_experiment: str) -> TraceState:
    """Return the state of a trace that begins with a span of these attributes; none if its experiment is too long."""
    own = attributes.get(EXPERIMENT) if isinstance(attributes, Mapping) else None
    value = quote(own if isinstance(own, str) and own else default_experiment, safe="/", errors="replace")
    return TraceState([(KEY, value)] if len(value) <= LONGEST else [])


def experiment_in(state: TraceState) -> str:
    """Return the experiment that a caller's state names, or an empty text."""
    return unquote(state.get(KEY) or "", errors="replace")


class ExperimentSampler(Sampler):
    """Samples every span, and tells the experiment of each trace that begins here."""

    def __init__(self, default_experiment: str) -> None:
        self._default_experiment = default_experiment

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return that the span is sampled, with its parent's state or a new trace's."""
        parent = get_current_span(parent_context).get_span_context()
        state = parent.trace_state if parent.is_valid else state_of(attributes, self._default_experiment)
        sampled = ALWAYS_ON.should_sample(parent_context, trace_id, name, kind, attributes, links)
        return SamplingResult(sampled.decision, attributes, state)

    @override
    def get_description(self) -> str:
        """Return the sampler's name."""
        return "ExperimentSampler"
