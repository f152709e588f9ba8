"""Off-path tracing for a process. This package imports the OpenTelemetry SDK; the rest of offpath does not."""

from offpath.tracing._caller import Caller
from offpath.tracing._context import untraced
from offpath.tracing._install import install, new_provider
from offpath.tracing._prediction import Prediction
from offpath.tracing._receipts import Receipts, awaited_later
from offpath.tracing._requests import (
    TRACE_ID_HEADER,
    caller_attributes,
    header_text,
    mlflow_trace_id,
    note_status,
)
from offpath.tracing._settings import TracingSettings
from offpath.tracing._traced import Traced, traced
from offpath.tracing._tracing import Tracing

__all__ = [
    "TRACE_ID_HEADER",
    "Caller",
    "Prediction",
    "Receipts",
    "Traced",
    "Tracing",
    "TracingSettings",
    "awaited_later",
    "caller_attributes",
    "header_text",
    "install",
    "mlflow_trace_id",
    "new_provider",
    "note_status",
    "traced",
    "untraced",
]
