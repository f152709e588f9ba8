"""The OpenAPI document: one entry for each model that is served, its request schema made from its signature."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from prediction_api.api_keys import HEADER
from prediction_api.http.openapi.predict import PROBLEM, operations
from prediction_api.models.catalog import Catalog
from prediction_api.models.loader import ModelLoader


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
        predictions = {
            path: {"post": entry} for served in catalog.champions for path, entry in operations(served).items()
        }
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
            operation["responses"]["default"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
