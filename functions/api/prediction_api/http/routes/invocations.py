"""`POST /models/{name}/invocations`: MLflow's scoring protocol."""

from fastapi import APIRouter, Request, Response

from prediction_api.errors import PredictionApiError
from prediction_api.http.predictions import json_response, read_prediction_request
from prediction_api.http.scoring_errors import scoring_error_of
from prediction_api.http.services import services
from prediction_api.http.traced_route import TracedRoute
from prediction_api.scoring.protocol import ScoringProtocol


class ScoringRoute(TracedRoute):
    """A traced route that answers errors in MLflow's form."""

    def refuse(self, error: PredictionApiError, trace_id: str | None) -> Response:  # noqa: ARG002
        """Return MLflow's error document; the trace's id is in the header alone."""
        return scoring_error_of(error)


router = APIRouter(route_class=ScoringRoute, tags=["predictions"])


@router.post("/models/{name}/invocations", summary="Score with a model", include_in_schema=False)
async def invocations(name: str, request: Request) -> Response:
    """Predictions in MLflow's scoring protocol, by the alias that is asked for or that the traffic split picks."""
    parts = services(request)
    asked = await read_prediction_request(name, request, parts.settings.max_body_bytes)
    result = parts.flow.run(asked, ScoringProtocol(parts.settings.max_records))
    return json_response(b'{"predictions":' + result.content + b"}", result.background)
