"""Ended traces, as a request leaves them."""

from typing import Any

from offpath.testing import RecordingTracing
from offpath.tracing._otlp import EndedTrace


def ended_trace(name: str = "predict", **attributes: Any) -> EndedTrace:
    """Return one trace of two spans."""
    tracing = RecordingTracing()
    tracer = tracing.tracer("test")
    with tracer.start_as_current_span(name, attributes=attributes), tracer.start_as_current_span("model"):
        pass
    return tracing.worker.ended[0]
