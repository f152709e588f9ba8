"""`POST /models/{name}/predict`."""

from fastapi import APIRouter, Request, Response
from opentelemetry.trace import get_current_span
from pydantic_core import to_json

from offpath.tracing import mlflow_trace_id
from prediction_api.errors import MalformedBody
from prediction_api.format_predictions import format_predictions, label_of
from prediction_api.http.predictions import json_response, read_prediction_request
from prediction_api.http.services import services
from prediction_api.http.traced_route import TracedRoute
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.inputs.not_json import not_json
from prediction_api.models.served import ServedModel
from prediction_api.prediction_protocol import FormattedPredictions, PredictionRequest

router = APIRouter(route_class=TracedRoute, tags=["predictions"])

# In characters, of an example within an error's text.
LONGEST_EXAMPLE = 500


class PredictProtocol:
    """Reads records or tensors under `inputs`, and gives a prediction a record."""

    def trace_inputs(self, request: PredictionRequest) -> str:
        """Return the body: it is JSON text already, and is not written a second time."""
        return request.body.decode(errors="replace")

    def read(self, served: ServedModel, request: PredictionRequest) -> Batch:
        """Return the model's inputs. Raises PredictionApiError."""
        try:
            return served.schema.read(request.body)
        except MalformedBody as error:
            content_type = request.headers.get("content-type", "")
            raise not_json(error, request.body, content_type, _example(served)) from error

    def format(self, served: ServedModel, outputs: Outputs, records: int) -> FormattedPredictions:
        """Return the predictions. Raises ValueError for outputs of another form."""
        predictions = format_predictions(served.version, outputs, records)
        return FormattedPredictions(predictions, label_of(predictions[0]) if records == 1 else None)


def _example(served: ServedModel) -> str:
    """Return a body for the model, if one of a few lines is known."""
    given = served.version.input_example
    example = to_json({"inputs": given}).decode() if given else ""
    return example if 0 < len(example) <= LONGEST_EXAMPLE else '{"inputs": …}'


PROTOCOL = PredictProtocol()


@router.post("/models/{name}/predict", summary="Predict with a model", include_in_schema=False)
async def predict(name: str, request: Request) -> Response:
    """Predictions for one record or many, by the alias that is asked for or that the traffic split picks."""
    parts = services(request)
    asked = await read_prediction_request(name, request, parts.settings.max_body_bytes)
    result = parts.flow.run(asked, PROTOCOL)
    described = to_json(
        {
            "model": result.served.name,
            "version": result.served.version.number,
            "alias": result.served.alias,
            "trace_id": mlflow_trace_id(get_current_span()),
        }
    )
    return json_response(described[:-1] + b',"predictions":' + result.content + b"}", result.background)
