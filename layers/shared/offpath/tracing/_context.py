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
from opentelemetry.trace import Span
from opentelemetry.trace.propagation import _SPAN_KEY

_ENCLOSING = create_key("offpath-enclosing-span")
_SENDING = create_key("offpath-sending")


def with_current(span: Span, context: Context | None = None) -> Context:
    """Return the context, or the current one, with this span as its current one."""
    around = current_context.get_current() if context is None else context
    # One copy for both keys: each `set_value` makes one, and the request waits for this.
    return Context({**around, _SPAN_KEY: span, _ENCLOSING: span})


def enclosing(context: Context) -> object:
    """Return the innermost span of offpath's own that is around, whoever made the current one, or None."""
    return context.get(_ENCLOSING)


def is_sending(context: Context) -> bool:
    """Return whether this is within `sending`."""
    return _SENDING in context


def untraced_in(context: Context) -> Context:
    """Return the context, in which a span that is made goes nowhere."""
    return Context({**context, _SENDING: True})


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
