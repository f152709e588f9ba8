"""The operation of MLflow's scoring protocol of one model in the OpenAPI document."""

from pydantic import JsonValue

from prediction_api.http.openapi.parts import REQUEST_PARAMETERS, Content, JsonSchema, Operation, Response, json_content
from prediction_api.models.served import ServedModel

_TABLE: JsonSchema = {"type": "array", "items": {"type": "array", "items": {}}}
_ERROR: Response = {
    "description": "Error, in MLflow's form",
    "content": json_content(
        {"type": "object", "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}}}
    ),
}


def scoring_operation(served: ServedModel) -> Operation:
    """Return the operation of `/models/{name}/invocations`."""
    return {
        "tags": ["predictions"],
        "operationId": f"score_{served.name}",
        "summary": f"Score with {served.name}, in MLflow's protocol",
        "description": f"Version {served.version.number}, alias {served.alias}. One of the four fields is sent.",
        "parameters": REQUEST_PARAMETERS,
        "requestBody": {"required": True, "content": _content(served)},
        "responses": {
            "200": {
                "description": "Predictions",
                "content": json_content({"type": "object", "properties": {"predictions": {}}}),
            },
            "default": _ERROR,
        },
    }


def _content(served: ServedModel) -> Content:
    json = json_content(_request(served), _example(served))
    return json if served.version.signature.tensors else json | {"text/csv": {"schema": {"type": "string"}}}


def _request(served: ServedModel) -> JsonSchema:
    columns: JsonSchema = {"type": "array", "items": {"type": "string"}}
    forms: JsonSchema = {
        "dataframe_split": {"type": "object", "properties": {"columns": columns, "data": _TABLE}, "required": ["data"]},
        "dataframe_records": {"type": "array", "items": {"type": "object"}},
        "inputs": served.schema.inputs_schema(served.name),
        "instances": {"type": "array", "items": {}},
    }
    return {"type": "object", "properties": forms, "minProperties": 1}


def _example(served: ServedModel) -> JsonValue:
    example = served.version.input_example
    if not example:
        return None
    if served.version.signature.tensors:
        return {"inputs": example}
    record = dict(example)
    return {"dataframe_split": {"columns": list(record), "data": [list(record.values())]}}
