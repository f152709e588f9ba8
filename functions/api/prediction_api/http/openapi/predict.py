"""What the OpenAPI document says of one model."""

from typing import Any

from prediction_api.http.openapi.model_selection import CHOICE
from prediction_api.http.openapi.scoring import scoring_operation
from prediction_api.models.served import ServedModel

_DOCUMENT = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "trace_id": {"type": "string"},
    },
}
PROBLEM = {"description": "Problem details", "content": {"application/problem+json": {"schema": _DOCUMENT}}}


def operations(served: ServedModel) -> dict[str, dict[str, Any]]:
    """Path → operation of all that a model answers to."""
    return {
        f"/models/{served.name}/predict": _predict(served),
        f"/models/{served.name}/invocations": scoring_operation(served),
    }


def _predict(served: ServedModel) -> dict[str, Any]:
    inputs = served.schema.inputs_schema(served.name)
    request = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    alone = "" if served.version.signature.tensors else " One record alone is taken as well."
    return {
        "tags": ["predictions"],
        "operationId": f"predict_{served.name}",
        "summary": f"Predict with {served.name}",
        "description": f"Version {served.version.number}, alias {served.alias}.{alone}",
        "parameters": CHOICE,
        "requestBody": {"required": True, "content": {"application/json": {"schema": request, **_example(served)}}},
        "responses": {
            "200": {"description": "Predictions", "content": {"application/json": {"schema": _answer(served)}}},
            "default": PROBLEM,
        },
    }


def _example(served: ServedModel) -> dict[str, Any]:
    example = served.version.input_example
    inputs = example if served.version.signature.tensors else [example]
    return {"example": {"inputs": inputs}} if example else {}


def _answer(served: ServedModel) -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("model", "version", "alias", "trace_id")}
    predictions = {"type": "array", "items": _prediction(served)}
    return {"type": "object", "properties": texts | {"predictions": predictions}}


def _prediction(served: ServedModel) -> dict[str, Any]:
    if served.version.task == "regression":
        return {"type": "object", "properties": {"value": {"description": "a number, or nested lists of numbers"}}}
    label: dict[str, Any] = {"type": "string"}
    if served.version.labels:
        label["enum"] = list(served.version.labels)
    probabilities = {"type": "object", "additionalProperties": {"type": "number"}}
    properties = {"label": label, "class_index": {"type": "integer"}, "probabilities": probabilities}
    return {"type": "object", "properties": properties}
