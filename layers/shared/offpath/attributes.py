"""Span attributes that MLflow or offpath give a meaning to.

MLflow's names are those of `mlflow.tracing.constant` (MLflow 3.17): importing it would cost seconds.
"""

SPAN_INPUTS = "mlflow.spanInputs"
"""The inputs of the span, as JSON text; those of the outermost span are the trace's."""
SPAN_OUTPUTS = "mlflow.spanOutputs"
"""The outputs of the span, as JSON text; those of the outermost span are the trace's."""
SPAN_TYPE = "mlflow.spanType"
"""The type of the span, such as `CHAIN`, `LLM`, `RETRIEVER`, `TOOL` or `TASK`."""
TOKEN_USAGE = "mlflow.chat.tokenUsage"  # noqa: S105
"""Of a language model's span: JSON text with `input_tokens`, `output_tokens` and `total_tokens`."""
TRACE_NAME = "mlflow.traceTag.mlflow.traceName"
"""The name of the trace; without it, it is the outermost span's."""
TRACE_TAG_PREFIX = "mlflow.traceTag."

EXPERIMENT = "offpath.experiment"
"""The name of the MLflow experiment of the trace; without it, it is that of `OFFPATH_EXPERIMENT`."""
INSTANCE = "offpath.instance"
SEQUENCE = "offpath.sequence"
REMOTE_PARENT = "offpath.remote_parent_span_id"
CHANGED = "offpath.changed"

# OpenTelemetry's own (https://opentelemetry.io/docs/specs/semconv/registry/attributes/).
SESSION = "session.id"
"""The session of the trace, by which MLflow groups traces; 250 characters at most."""
USER = "user.id"
"""The user of the trace, by which MLflow groups traces; 250 characters at most."""

INVOCATION_ID = "faas.invocation_id"
"""Of the outermost span in Lambda: the invocation's id, which API Gateway's access log has, too. Set by offpath."""

UNFINISHED = "offpath.unfinished"
"""Of a span that had not ended when its process came to its end: the reason. Set by offpath."""
CALLER_TRACE_ID = "caller_trace_id"
"""A tag of the trace: the trace id of a caller's `traceparent`. Set by offpath."""
CLIENT_REQUEST_ID = "client_request_id"
"""A tag of the trace: how a caller calls its request."""
ANSWERED_TRACE_ID = "answered_trace_id"
"""A tag of a shadow's trace: MLflow's id of the trace of the answer. Set by offpath."""
OUTCOME = "outcome"
"""A tag of the trace: `refused` or `failed`. A trace without it was answered."""

MODEL = "offpath.model"
"""The name of the model that the span calls."""
MODEL_VERSION = "offpath.model_version"
"""The version of the model that the span calls."""
ALIAS = "offpath.alias"
"""The alias by which the model was chosen."""
SHADOW = "offpath.shadow"
SHADOW_AGREEMENT = "offpath.shadow.agreement"
SHADOW_DIFFERENCE = "offpath.shadow.difference"
SHADOW_SKIPPED = "offpath.shadow.skipped"


def trace_tag(key: str) -> str:
    """The root span's attribute that becomes this tag of the trace in MLflow."""
    return TRACE_TAG_PREFIX + key


def of_model(name: str, version: str, alias: str) -> dict[str, str]:
    """The attributes of a span in which that version of a model is called."""
    return {MODEL: name, MODEL_VERSION: version, ALIAS: alias}


# The headers by which a caller says whose request it is, and the attributes of its trace that they become.
CALLER_HEADERS = {
    "x-session-id": SESSION,
    "x-user-id": USER,
    "x-client-request-id": trace_tag(CLIENT_REQUEST_ID),
}
# In characters. MLflow refuses a whole batch of traces for a longer session.
LONGEST_CALLER_HEADER = 250
