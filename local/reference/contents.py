"""List the names that the reference has, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    module: whose public names it has. names: those names, in the order of the page. returned: the classes among them
    whose objects offpath makes, so that a user never calls them.
    """

    title: str
    module: str
    names: Sequence[str]
    text: str = ""
    returned: frozenset[str] = frozenset()


SECTIONS = (
    Section("Set-up", "offpath", ["install", "Tracing"], returned=frozenset({"Tracing"})),
    Section(
        "Spans and predictions",
        "offpath.tracing",
        ["traced", "Traced", "Prediction", "untraced"],
        returned=frozenset({"Traced", "Prediction"}),
    ),
    Section(
        "Requests",
        "offpath.tracing",
        ["TRACE_ID_HEADER", "Caller", "mlflow_trace_id", "caller_attributes", "header_text", "note_status"],
        "For a server that neither `tracing.lambda_handler` nor `tracing.asgi` serves: begin a span for each request "
        "as `tracing.read_caller(headers)` says.",
        returned=frozenset({"Caller"}),
    ),
    Section(
        "Attributes",
        "offpath.attributes",
        [
            "SPAN_INPUTS",
            "SPAN_OUTPUTS",
            "SPAN_TYPE",
            "TOKEN_USAGE",
            "TRACE_NAME",
            "EXPERIMENT",
            "SESSION",
            "USER",
            "MODEL",
            "MODEL_VERSION",
            "ALIAS",
            "OUTCOME",
            "CLIENT_REQUEST_ID",
            "CALLER_TRACE_ID",
            "ANSWERED_TRACE_ID",
            "UNFINISHED",
            "trace_tag",
            "of_model",
        ],
        "What MLflow or offpath gives a meaning to. Attributes of the trace are set on the trace's outermost span.",
    ),
    Section(
        "Testing",
        "offpath.testing",
        [
            "RecordingTracing",
            "RecordedTrace",
            "event_of",
            "InMemoryQueue",
            "InMemoryReceiver",
            "InMemoryBucket",
            "InMemorySecrets",
            "ManualClock",
        ],
        "[Testing your own code](testing.md) shows their use.",
    ),
)
