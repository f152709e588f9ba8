"""Show another library's reader a span that is not the SDK's: MLflow takes spans of the SDK's class alone."""

from collections.abc import Mapping
from types import MappingProxyType

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, get_current_span
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.util.types import Attributes, AttributeValue
from typing_extensions import override

from offpath.attributes import SPAN_TYPE
from offpath.tracing._context import untraced_in
from offpath.tracing._json_values import REQUEST_ID, plain
from offpath.tracing._light_span import LightSpan, readable
from offpath.tracing._mlflow_sampler import is_left_out

# What MLflow notes in each span that it sees. What it sees here is no span of its own.
_NO_TYPES = ((SPAN_TYPE, "null"), (SPAN_TYPE, '"UNKNOWN"'))


class ShownSpan(ApiSpan, ReadableSpan):
    """A light span, or one of another tracer, as MLflow sees it. What is set here is set there.

    request_id: MLflow's id of the trace, as JSON; MLflow finds it among the attributes.
    """

    def __init__(self, span: LightSpan | Span, request_id: str) -> None:
        so_far = readable(span)
        super().__init__(
            so_far.name,
            so_far.get_span_context(),
            so_far.parent,
            so_far.resource,
            events=so_far.events,
            links=so_far.links,
            kind=so_far.kind,
            start_time=so_far.start_time,
        )
        self.real = span
        self._request_id = request_id

    @property
    @override
    def attributes(self) -> Mapping[str, AttributeValue]:
        """Return what was set so far, and MLflow's id of the trace."""
        return MappingProxyType({**(self.real.attributes or {}), REQUEST_ID: self._request_id})

    @property
    @override
    def status(self) -> Status:
        """Return the status as it is now."""
        return self.real.status

    @override
    def get_span_context(self) -> SpanContext:
        """Return ids and flags."""
        return self.context  # type: ignore[no-any-return]  # the SDK leaves it without a type

    @override
    def is_recording(self) -> bool:
        """Return whether the span is open."""
        return self.real.is_recording()

    @override
    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set an attribute, unless it says no more than that MLflow looks at the span."""
        if key != REQUEST_ID and (key, value) not in _NO_TYPES:
            self.real.set_attribute(key, plain(value))

    @override
    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    @override
    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event."""
        self.real.add_event(name, attributes, timestamp)

    @override
    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link."""
        self.real.add_link(context, attributes)

    @override
    def update_name(self, name: str) -> None:
        """Give the span another name."""
        self.real.update_name(name)

    @override
    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status."""
        self.real.set_status(status, description)

    @override
    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Note an exception."""
        self.real.record_exception(exception, attributes, timestamp, escaped)

    @override
    def end(self, end_time: int | None = None) -> None:
        """End the span."""
        self.real.end(end_time)


def to_show(context: Context) -> LightSpan | Span | None:
    """Return the context's current span, if MLflow has to be shown it as another one."""
    current = context.get(_SPAN_KEY)
    if isinstance(current, LightSpan):
        return current
    return current if isinstance(current, Span) and REQUEST_ID not in (current.attributes or {}) else None


def with_shown(context: Context, span: ShownSpan | NonRecordingSpan) -> Context:
    """Return the context with that span as its current one, which stands for the real one."""
    return Context({**context, _SPAN_KEY: span})


def with_real(context: Context, around: Context) -> Context:
    """Return the context with the real span as its current one, if it has one that is shown.

    If it has one that stands for none, that of the context around stays: MLflow makes such a span, or one of the same
    ids, where it is disabled. What is below one that MLflow's sampler, or a caller's, has left out is left out.
    """
    current = context.get(_SPAN_KEY)
    if isinstance(current, ShownSpan):
        return Context({**context, _SPAN_KEY: current.real})
    if not isinstance(current, NonRecordingSpan):
        return context
    own: SpanContext | None = current.get_span_context()  # MLflow leaves it out
    if _stands_for_none(own, around):
        return Context({**context, _SPAN_KEY: around[_SPAN_KEY]})
    return untraced_in(context) if own is not None and is_left_out(own) else context


def _stands_for_none(own: SpanContext | None, around: Context) -> bool:
    if _SPAN_KEY not in around:
        return False
    return own is None or not own.is_valid or own == get_current_span(around).get_span_context()
