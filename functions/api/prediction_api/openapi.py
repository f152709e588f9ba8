"""The OpenAPI document: one entry for each model that is served, its request schema made from its signature."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from prediction_api.access import HEADER
from prediction_api.catalog import Catalog, ServedModel
from prediction_api.loader import ModelLoader

_PROBLEM = {
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
_ERROR = {"description": "Problem details", "content": {"application/problem+json": {"schema": _PROBLEM}}}


class OpenApi:
    """Writes the document, anew whenever the catalog has changed."""

    def __init__(self, app: FastAPI, loader: ModelLoader, *, has_keys: bool) -> None:
        self._app = app
        self._loader = loader
        self._has_keys = has_keys
        self._written: tuple[Catalog, dict[str, Any]] | None = None

    def __call__(self) -> dict[str, Any]:
        """The document for the models that are served now."""
        catalog = self._loader.catalog
        if self._written is None or self._written[0] is not catalog:
            self._written = catalog, self._write(catalog)
        return self._written[1]

    def _write(self, catalog: Catalog) -> dict[str, Any]:
        app = self._app
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _leave_out_fastapis_own_errors(document)
        predictions = {f"/models/{served.name}/predict": {"post": _operation(served)} for served in catalog.served}
        document["paths"] = predictions | document["paths"]
        if self._has_keys:
            key = {"type": "apiKey", "in": "header", "name": HEADER}
            document["components"]["securitySchemes"] = {"key": key}
            document["security"] = [{"key": []}]
        return document


def _leave_out_fastapis_own_errors(document: dict[str, Any]) -> None:
    """FastAPI says of every route with a parameter that it may answer 422 in FastAPI's form; here none does."""
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _ERROR
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _operation(served: ServedModel) -> dict[str, Any]:
    record = served.schema.json_schema() | {"title": f"{served.name} record"}
    inputs = {"anyOf": [{"type": "array", "items": record, "minItems": 1}, record]}
    request = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    return {
        "tags": ["predictions"],
        "operationId": f"predict_{served.name}",
        "summary": f"Predict with {served.name}",
        "description": f"Version {served.version.version}, alias {served.alias}. One record alone is taken as well.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request, **_example(served)}}},
        "responses": {
            "200": {"description": "Predictions", "content": {"application/json": {"schema": _answer(served)}}},
            "default": _ERROR,
        },
    }


def _example(served: ServedModel) -> dict[str, Any]:
    example = served.version.input_example
    return {"example": {"inputs": [example]}} if example else {}


def _answer(served: ServedModel) -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("model", "version", "alias", "trace_id")}
    predictions = {"type": "array", "items": _prediction(served)}
    return {"type": "object", "properties": texts | {"predictions": predictions}}


def _prediction(served: ServedModel) -> dict[str, Any]:
    if served.version.task == "regression":
        return {"type": "object", "properties": {"value": {"type": "number"}}}
    label: dict[str, Any] = {"type": "string"}
    if served.version.labels:
        label["enum"] = list(served.version.labels)
    probabilities = {"type": "object", "additionalProperties": {"type": "number"}}
    properties = {"label": label, "class_index": {"type": "integer"}, "probabilities": probabilities}
    return {"type": "object", "properties": properties}
