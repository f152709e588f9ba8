"""The OpenAPI document: one entry for each model that is served, its request schema made from its signature."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from prediction_api.api_keys import HEADER
from prediction_api.http.openapi.parts import Operation
from prediction_api.http.openapi.predict import PROBLEM, predict_operation
from prediction_api.http.openapi.scoring import scoring_operation
from prediction_api.models.catalog import Catalog
from prediction_api.models.loader import ModelLoader

Document = dict[str, Any]  # as FastAPI makes it


class OpenApi:
    """Makes the document, anew whenever the catalog has changed."""

    def __init__(self, app: FastAPI, loader: ModelLoader, *, has_keys: bool) -> None:
        self._app = app
        self._loader = loader
        self._has_keys = has_keys
        self._made: tuple[Catalog, Document] | None = None

    def __call__(self) -> Document:
        """Return the document for the models that are served now."""
        catalog = self._loader.catalog
        if self._made is None or self._made[0] is not catalog:
            self._made = catalog, self._make(catalog)
        return self._made[1]

    def _make(self, catalog: Catalog) -> Document:
        app = self._app
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _leave_out_fastapis_own_errors(document)
        document["paths"] = dict(_predictions(catalog)) | document["paths"]
        if self._has_keys:
            key = {"type": "apiKey", "in": "header", "name": HEADER}
            document["components"]["securitySchemes"] = {"key": key}
            document["security"] = [{"key": []}]
        return document


def _predictions(catalog: Catalog) -> Iterator[tuple[str, Mapping[str, Operation]]]:
    """Yield path and operations of each champion."""
    for served in catalog.champions:
        yield f"/models/{served.name}/predict", {"post": predict_operation(served)}
        yield f"/models/{served.name}/invocations", {"post": scoring_operation(served)}


def _leave_out_fastapis_own_errors(document: Document) -> None:
    """FastAPI says of every route with a parameter that it may answer 422 in FastAPI's form; here none does."""
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
