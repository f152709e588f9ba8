"""A trace of the writer's own, always the same one, that tells whether MLflow stores anything at all.

MLflow answers 400 and 422 not only for traces that it refuses, but for trouble with its database, too
(mlflow/store/db/utils.py, mlflow/server/otel_api.py). If it takes this trace, its refusal of others is about them.
"""

import hashlib

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

# An experiment that no model has: those of models are `offpath/<model>`.
PROBE_EXPERIMENT = "offpath.probe"
PROBE_TRACE_ID = hashlib.sha256(b"offpath's probe").digest()[:16]


def probe_payload(time_ns: int) -> bytes:
    """Return an OTLP request with the trace. time_ns: now; a trace that is as it was before would not be written."""
    span = Span(
        trace_id=PROBE_TRACE_ID,
        span_id=PROBE_TRACE_ID[:8],
        name="probe of the trace writer",
        start_time_unix_nano=time_ns,
        end_time_unix_nano=time_ns,
    )
    spans = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    return bytes(ExportTraceServiceRequest(resource_spans=[spans]).SerializeToString())
