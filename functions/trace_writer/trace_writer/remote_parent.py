"""Spans whose parent belongs to the caller's system.

MLflow takes a trace's status, tags and previews from the span that has no parent. The root of a request that continues
a caller's W3C `traceparent` has one, in a trace store that is not this MLflow: left as it is, its trace would stay "in
progress" for ever, with no inputs, outputs or tags.
"""

from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags

from offpath.attributes import REMOTE_PARENT

_REMOTE = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


def detach_remote_parents(request: ExportTraceServiceRequest) -> None:
    """Make each span with a remote parent a root that keeps the parent's id, in hex, as an attribute."""
    for span in _spans(request):
        if span.flags & _REMOTE == _REMOTE and span.parent_span_id:
            span.attributes.add(key=REMOTE_PARENT, value={"string_value": span.parent_span_id.hex()})
            span.ClearField("parent_span_id")


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans
