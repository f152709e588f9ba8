"""Span attributes that MLflow or offpath give a meaning to.

MLflow's names are those of `mlflow.tracing.constant` (MLflow 3.17): importing it would cost seconds.
"""

SPAN_INPUTS = "mlflow.spanInputs"
SPAN_OUTPUTS = "mlflow.spanOutputs"
SPAN_TYPE = "mlflow.spanType"
# Of a language model's span: input_tokens, output_tokens and total_tokens.
TOKEN_USAGE = "mlflow.chat.tokenUsage"  # noqa: S105
TRACE_NAME = "mlflow.traceTag.mlflow.traceName"
TRACE_TAG_PREFIX = "mlflow.traceTag."

EXPERIMENT = "offpath.experiment"
INSTANCE = "offpath.instance"
SEQUENCE = "offpath.sequence"
REMOTE_PARENT = "offpath.remote_parent_span_id"
CHANGED = "offpath.changed"

# OpenTelemetry's own (https://opentelemetry.io/docs/specs/semconv/registry/attributes/); MLflow groups traces by both.
SESSION = "session.id"
USER = "user.id"

# Of a span that had not ended when its process came to its end.
UNFINISHED = "offpath.unfinished"
# Tags of a trace: the trace that a caller's `traceparent` names, and how a caller calls its request.
CALLER_TRACE_ID = "caller_trace_id"
CLIENT_REQUEST_ID = "client_request_id"
# A tag of a shadow's trace: MLflow's id of the trace of what was answered.
ANSWERED_TRACE_ID = "answered_trace_id"
# A tag: `refused` or `failed`; a trace without it was answered.
OUTCOME = "outcome"

MODEL = "offpath.model"
MODEL_VERSION = "offpath.model_version"
ALIAS = "offpath.alias"
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
