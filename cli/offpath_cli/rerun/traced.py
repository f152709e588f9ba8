"""Read from MLflow what a prediction was asked, by which version it was answered, and what."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offpath.attributes import OUTCOME
from offpath_cli.errors import RerunError, first_line

if TYPE_CHECKING:
    from mlflow.entities import Span, Trace

INVOCATIONS = "/models/{name}/invocations"
PREDICT = "/models/{name}/predict"


@dataclass(frozen=True, slots=True)
class TracedPrediction:
    """A prediction of the API as its trace tells it. body, content_type: of the request. outputs: JSON."""

    model: str
    version: str
    is_invocation: bool
    body: bytes
    content_type: str
    outputs: Any


def fetch(tracking_uri: str, trace_id: str) -> TracedPrediction:
    """Return the prediction of a trace.

    Raises RerunError for a trace that is not there, that is none of the API's, or that was not answered.
    """
    from mlflow import MlflowClient  # it takes seconds to import
    from mlflow.exceptions import MlflowException

    try:
        trace = MlflowClient(tracking_uri).get_trace(trace_id)
    except MlflowException as error:
        raise RerunError(f"MLflow at {tracking_uri} has no trace {trace_id}: {first_line(error)}") from error
    return read(trace)


def read(trace: "Trace") -> TracedPrediction:
    """Return the prediction that a trace tells of. Raises RerunError."""
    tags = trace.info.tags
    root = _root(trace)
    route = root.attributes.get("http.route") if root else None
    if root is None or route not in (PREDICT, INVOCATIONS) or not tags.get("model"):
        raise RerunError(f"{trace.info.trace_id} is no trace of a prediction by the API")
    if OUTCOME in tags:
        raise RerunError(f"{trace.info.trace_id} was {tags[OUTCOME]}: there is no prediction to make again")
    return TracedPrediction(
        tags["model"], tags["model_version"], route == INVOCATIONS, *_request(root.inputs, route), root.outputs
    )


def _root(trace: "Trace") -> "Span | None":
    """Return the API's own span: of a caller's trace that is continued, the one of the API's service."""
    spans = [span for span in trace.data.spans if span.attributes.get("http.route") in (PREDICT, INVOCATIONS)]
    return spans[0] if spans else None


def _request(inputs: Any, route: str) -> tuple[bytes, str]:
    """Return the body and its type: what is a text in the trace was CSV."""
    if isinstance(inputs, str) and route == INVOCATIONS:
        return inputs.encode(), "text/csv"
    return json.dumps(inputs).encode(), "application/json"
