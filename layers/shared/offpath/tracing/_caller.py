"""Decide what a caller's `traceparent` means for the trace of its request.

By default the trace is one of its own, and only links to the caller's: whoever knows a trace id could else add spans to
another caller's trace, and of two models that are called in one trace MLflow would refuse the second, as a trace lies
in one experiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.trace import Link, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from offpath.attributes import CALLER_TRACE_ID, trace_tag
from offpath.tracing._settings import TraceParent

_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class Caller:
    """How the span of a request begins, as `tracing.read_caller` returns it.

    context: to start the span in; None: the current one. links: of the span. attributes: of the span.
    """

    context: Context | None
    links: Sequence[Link] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


NO_CALLER = Caller(Context())
# Of a span below another one of this process.
CHILD = Caller(None)


def read_caller(headers: Mapping[str, str], how: TraceParent) -> Caller:
    """Return what the request's headers, whose names are in lower case, say of the caller's trace."""
    if how == "ignore" or "traceparent" not in headers:
        return NO_CALLER
    context = _propagator.extract(headers, Context())
    caller = get_current_span(context).get_span_context()
    if not caller.is_valid:
        return NO_CALLER
    if how == "continue":
        return Caller(context)
    tag = {trace_tag(CALLER_TRACE_ID): format_trace_id(caller.trace_id)}
    return Caller(Context(), [Link(caller)], tag)
