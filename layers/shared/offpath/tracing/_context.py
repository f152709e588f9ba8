"""Keep in the context which span of offpath's own is around, and that traces are being sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as current_context
from opentelemetry.context import (  # each instrumentation asks for them, as for those of OpenTelemetry's own exporters
    _SUPPRESS_HTTP_INSTRUMENTATION_KEY,
    _SUPPRESS_INSTRUMENTATION_KEY,
    Context,
    create_key,
)
from opentelemetry.trace import Span, SpanContext
from opentelemetry.trace.propagation import _SPAN_KEY

_ENCLOSING = create_key("offpath-enclosing-span")
_SENDING = create_key("offpath-sending")


def with_current(span: Span) -> Context:
    """Return the current context with this span as the current one."""
    # One copy for both keys: each `set_value` makes one, and the request waits for this.
    return Context({**current_context.get_current(), _SPAN_KEY: span, _ENCLOSING: span.get_span_context()})


def enclosing(context: Context | None) -> SpanContext | None:
    """Return the innermost span of offpath's own that is around, whoever made the current one."""
    found = current_context.get_value(_ENCLOSING, context)
    return found if isinstance(found, SpanContext) else None


def is_sending(context: Context | None) -> bool:
    """Return whether this is within `sending`."""
    return current_context.get_value(_SENDING, context) is not None


@contextmanager
def sending() -> Iterator[None]:
    """Keep instrumentation from tracing the block: it sends traces, and each of its own spans would be one more.

    A span that is made within it nevertheless goes nowhere.
    """
    context = Context()  # of no span: what is sent here is not part of the trace around it
    for key in (_SENDING, _SUPPRESS_INSTRUMENTATION_KEY, _SUPPRESS_HTTP_INSTRUMENTATION_KEY):
        context = current_context.set_value(key, True, context)
    token = current_context.attach(context)
    try:
        yield
    finally:
        current_context.detach(token)


@contextmanager
def untraced() -> Iterator[None]:
    """Keep instrumentation from tracing the block, or each call of a function: what it does belongs to no request.

    tracing.add_periodic_task(untraced()(refresh))
    """
    with sending():
        yield
