"""`POST /models/{name}/invocations`: MLflow's scoring protocol."""

from typing import Any

from fastapi import APIRouter, Request, Response
from opentelemetry.trace import get_current_span
from pydantic_core import to_json

from offpath import attributes
from prediction_api.errors import PredictionApiError
from prediction_api.format_predictions import single_label
from prediction_api.http.scoring_errors import scoring_error_of
from prediction_api.http.traced_route import TracedRoute
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.served import ServedModel
from prediction_api.prediction_flow import call_model
from prediction_api.scoring.answer import scored
from prediction_api.scoring.content_type import CSV, content_type_of
from prediction_api.scoring.protocol import read_request
from prediction_api.settings import ApiSettings


class ScoringRoute(TracedRoute):
    """A traced route whose refusals are of MLflow's form."""

    def refuse(self, error: PredictionApiError, trace_id: str) -> Response:  # noqa: ARG002
        """Return MLflow's error document; the trace's id is in the header alone."""
        return scoring_error_of(error)


router = APIRouter(route_class=ScoringRoute, tags=["predictions"])


@router.post("/models/{name}/invocations", summary="Score with a model", include_in_schema=False)
async def invocations(name: str, request: Request) -> Response:
    """Predictions in MLflow's scoring protocol, by the alias that has its turn, or that is asked for."""
    settings: ApiSettings = request.app.state.settings
    header, root = request.headers.get("content-type", ""), get_current_span()

    def read(served: ServedModel, body: bytes) -> Batch:
        content_type = content_type_of(header)
        if content_type == CSV:  # it is no JSON text yet, which is what MLflow wants
            root.set_attribute(attributes.SPAN_INPUTS, to_json(body.decode(errors="replace")).decode())
        return read_request(served.version.signature, body, content_type, settings.max_records)

    called = await call_model(request, name, read, _scored)
    # A number that is not finite has no word in JSON: MLflow's clients read null as NaN.
    written = to_json(called.answer, inf_nan_mode="null")
    called.conclude(written, single_label(called.served.version, called.outputs, called.records))
    return Response(b'{"predictions":' + written + b"}", media_type="application/json", background=called.behind)


def _scored(served: ServedModel, outputs: Outputs, records: int) -> Any:
    return scored(served.version, outputs, records)
