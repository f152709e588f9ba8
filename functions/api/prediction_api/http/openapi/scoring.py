"""What the OpenAPI document says of MLflow's scoring protocol, for one model."""

from typing import Any

from prediction_api.http.openapi.model_selection import CHOICE
from prediction_api.models.served import ServedModel

_TABLE = {"type": "array", "items": {"type": "array", "items": {}}}
_ERROR = {
    "description": "Error, in MLflow's form",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
            }
        }
    },
}


def scoring_operation(served: ServedModel) -> dict[str, Any]:
    """The operation of `/models/{name}/invocations`."""
    return {
        "tags": ["predictions"],
        "operationId": f"score_{served.name}",
        "summary": f"Score with {served.name}, in MLflow's protocol",
        "description": f"Version {served.version.number}, alias {served.alias}. One of the four fields is sent.",
        "parameters": CHOICE,
        "requestBody": {"required": True, "content": _content(served)},
        "responses": {
            "200": {
                "description": "Predictions",
                "content": {"application/json": {"schema": {"type": "object", "properties": {"predictions": {}}}}},
            },
            "default": _ERROR,
        },
    }


def _content(served: ServedModel) -> dict[str, Any]:
    json = {"application/json": {"schema": _request(served), **_example(served)}}
    return json if served.version.signature.tensors else json | {"text/csv": {"schema": {"type": "string"}}}


def _request(served: ServedModel) -> dict[str, Any]:
    columns = {"type": "array", "items": {"type": "string"}}
    forms: dict[str, Any] = {
        "dataframe_split": {"type": "object", "properties": {"columns": columns, "data": _TABLE}, "required": ["data"]},
        "dataframe_records": {"type": "array", "items": {"type": "object"}},
        "inputs": served.schema.inputs_schema(served.name),
        "instances": {"type": "array", "items": {}},
    }
    return {"type": "object", "properties": forms, "minProperties": 1}


def _example(served: ServedModel) -> dict[str, Any]:
    example = served.version.input_example
    if not example:
        return {}
    if served.version.signature.tensors:
        return {"example": {"inputs": example}}
    record = dict(example)
    return {"example": {"dataframe_split": {"columns": list(record), "data": [list(record.values())]}}}
