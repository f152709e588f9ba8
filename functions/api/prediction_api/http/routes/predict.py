"""`POST /models/{name}/predict`."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from prediction_api.format_predictions import predictions
from prediction_api.http.traced_route import TracedRoute, mlflow_trace_id
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.served import ServedModel
from prediction_api.prediction_flow import call_model

router = APIRouter(route_class=TracedRoute, tags=["predictions"])


@router.post("/models/{name}/predict", summary="Predict with a model", include_in_schema=False)
async def predict(name: str, request: Request) -> Response:
    """Predictions for one record or many, by the alias that has its turn, or that is asked for."""
    called = await call_model(request, name, _read, _predictions)
    written = to_json(called.answer)
    called.conclude(written, called.answer[0].get("label") if called.records == 1 else None)
    frame = to_json(
        {
            "model": called.served.name,
            "version": called.served.version.number,
            "alias": called.served.alias,
            "trace_id": mlflow_trace_id(called.span),
        }
    )
    content = frame[:-1] + b',"predictions":' + written + b"}"
    return Response(content, media_type="application/json", background=called.behind)


def _read(served: ServedModel, body: bytes) -> Batch:
    return served.schema.read(body)


def _predictions(served: ServedModel, outputs: Outputs, records: int) -> list[dict[str, Any]]:
    return predictions(served.version, outputs, records)
