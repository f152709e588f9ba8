"""`POST /models/{name}/predict`."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from opentelemetry.trace import Span, Tracer, get_current_span
from pydantic_core import to_json

from offpath import attributes
from offpath.attributes import trace_tag
from prediction_api.body import read_body
from prediction_api.catalog import ServedModel
from prediction_api.loader import ModelLoader
from prediction_api.records import Record
from prediction_api.settings import ApiSettings
from prediction_api.traced_route import TracedRoute, mlflow_trace_id

router = APIRouter(route_class=TracedRoute, tags=["predictions"])


@router.post("/models/{name}/predict", summary="Predict with a model", include_in_schema=False)
async def predict(name: str, request: Request) -> Response:
    """Predictions for one record or many, by the model's champion."""
    span = get_current_span()
    loader: ModelLoader = request.app.state.loader
    body = await _read(request, span)
    served = loader.catalog.find(name)
    _describe(span, served, request.app.state.experiment)
    records = _validate(request.app.state.tracer, served, body)
    predictions = _predict(request.app.state.tracer, served, records)
    return _answer(span, served, predictions)


def _describe(span: Span, served: ServedModel, experiment: str) -> None:
    span.set_attributes(
        {
            attributes.EXPERIMENT: f"{experiment}/{served.name}",
            trace_tag("model"): served.name,
            trace_tag("model_version"): served.version.version,
            trace_tag("alias"): served.alias,
        }
    )


async def _read(request: Request, span: Span) -> bytes:
    settings: ApiSettings = request.app.state.settings
    body = await read_body(request, settings.max_body_bytes)
    # The body is JSON text already, which is what MLflow wants: it is not written a second time.
    span.set_attribute(attributes.SPAN_INPUTS, body.decode(errors="replace"))
    return body


def _validate(tracer: Tracer, served: ServedModel, body: bytes) -> list[Record]:
    with tracer.start_as_current_span("validate", attributes={attributes.SPAN_TYPE: "PARSER"}) as span:
        records = served.schema.parse(body)
        span.set_attribute(attributes.SPAN_OUTPUTS, f'{{"records": {len(records)}}}')
    return records


def _predict(tracer: Tracer, served: ServedModel, records: Sequence[Record]) -> list[dict[str, Any]]:
    described = {
        attributes.SPAN_TYPE: "TASK",
        attributes.SPAN_INPUTS: f'{{"records": {len(records)}}}',
        "offpath.model": served.name,
        "offpath.model_version": served.version.version,
    }
    with tracer.start_as_current_span(served.name, attributes=described):
        return served.predictor.predict(records)


def _answer(span: Span, served: ServedModel, predictions: Sequence[dict[str, Any]]) -> Response:
    written = to_json(predictions)
    span.set_attribute(attributes.SPAN_OUTPUTS, written.decode())
    if len(predictions) == 1 and "label" in predictions[0]:
        span.set_attribute(trace_tag("prediction"), predictions[0]["label"])
    frame = to_json(
        {
            "model": served.name,
            "version": served.version.version,
            "alias": served.alias,
            "trace_id": mlflow_trace_id(span),
        }
    )
    return Response(frame[:-1] + b',"predictions":' + written + b"}", media_type="application/json")
