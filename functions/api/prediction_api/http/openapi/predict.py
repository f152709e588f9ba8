"""The operation `predict` of one model in the OpenAPI document."""

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from offpath.contracts.errors import OffpathError
from prediction_api.format_predictions import format_predictions
from prediction_api.http.openapi.parts import REQUEST_PARAMETERS, JsonSchema, Operation, Response, json_content
from prediction_api.http.problems import MEDIA_TYPE
from prediction_api.models.served import ServedModel

_TRACE_ID: JsonSchema = {"type": ["string", "null"], "description": "null where the model is not traced"}
_ERROR: JsonSchema = {
    "type": "object",
    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
}
_DOCUMENT: JsonSchema = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _ERROR},
        "trace_id": _TRACE_ID,
    },
}
PROBLEM: Response = {"description": "Problem details", "content": {MEDIA_TYPE: {"schema": _DOCUMENT}}}


def predict_operation(served: ServedModel) -> Operation:
    """Return the operation of `/models/{name}/predict`."""
    inputs = served.schema.inputs_schema(served.name)
    request: JsonSchema = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    alone = "" if served.version.signature.tensors else " One record alone is taken as well."
    return {
        "tags": ["predictions"],
        "operationId": f"predict_{served.name}",
        "summary": f"Predict with {served.name}",
        "description": f"Version {served.version.number}, alias {served.alias}.{alone}",
        "parameters": REQUEST_PARAMETERS,
        "requestBody": {"required": True, "content": json_content(request, _example(served))},
        "responses": {
            "200": {"description": "Predictions", "content": json_content(_answer(served), _answer_example(served))},
            "default": PROBLEM,
        },
    }


def _example(served: ServedModel) -> JsonValue:
    example = served.version.input_example
    inputs = example if served.version.signature.tensors else [example]
    return {"inputs": inputs} if example else None


def _answer_example(served: ServedModel) -> JsonValue:
    """Return what the model answers for its example; None where it has none, or cannot answer it now."""
    example = _example(served)
    if example is None:
        return None
    try:
        batch = served.schema.read(to_json(example))
        predictions = format_predictions(served.version, served.predictor.run(batch), batch.records)
    except (OffpathError, ValueError):
        return None
    described: dict[str, JsonValue] = {
        "model": served.name,
        "version": served.version.number,
        "alias": served.alias,
        "trace_id": f"tr-{'0' * 31}1",
    }
    return described | {"predictions": from_json(to_json(predictions, inf_nan_mode="null"))}


def _answer(served: ServedModel) -> JsonSchema:
    texts: JsonSchema = {name: {"type": "string"} for name in ("model", "version", "alias")}
    return {
        "type": "object",
        "properties": texts | {"trace_id": _TRACE_ID, "predictions": {"type": "array", "items": _prediction(served)}},
    }


def _prediction(served: ServedModel) -> JsonSchema:
    if served.version.task == "regression":
        return {"type": "object", "properties": {"value": {"description": "a number, or nested lists of numbers"}}}
    label: JsonSchema = {"type": "string"}
    if served.version.labels:
        label["enum"] = [*served.version.labels]
    probabilities: JsonSchema = {"type": "object", "additionalProperties": {"type": "number"}}
    properties: JsonSchema = {"label": label, "class_index": {"type": "integer"}, "probabilities": probabilities}
    return {"type": "object", "properties": properties}
