"""The OpenAPI document: an entry for each model that is served, made from its signature, and for each recipe."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from offpath.contracts.recipes import AnnouncedRecipe
from prediction_api.api_keys import HEADER
from prediction_api.http.openapi.parts import Operation
from prediction_api.http.openapi.predict import PROBLEM, predict_operation
from prediction_api.http.openapi.scoring import scoring_operation
from prediction_api.http.openapi.train import train_operation
from prediction_api.models.catalog import Catalog
from prediction_api.models.loader import ModelLoader

Document = dict[str, Any]  # as FastAPI makes it


class OpenApi:
    """Makes the document, anew whenever the catalog or the recipes have changed.

    recipes: returns the recipes that can be trained; it may read them from S3.
    """

    def __init__(
        self, app: FastAPI, loader: ModelLoader, recipes: Callable[[], Mapping[str, AnnouncedRecipe]], *, has_keys: bool
    ) -> None:
        self._app = app
        self._loader = loader
        self._recipes = recipes
        self._has_keys = has_keys
        self._made: tuple[Catalog, Mapping[str, AnnouncedRecipe], Document] | None = None

    def __call__(self) -> Document:
        """Return the document for what is served and can be trained now. It may wait, for S3 and for a model."""
        catalog, recipes = self._loader.catalog, self._recipes()
        if self._made is None or self._made[0] is not catalog or self._made[1] is not recipes:
            self._made = catalog, recipes, self._make(catalog, recipes)
        return self._made[2]

    async def answer(self, request: Request) -> Response:
        """Answer a request for the document, without holding up the event loop."""
        document = await run_in_threadpool(self)
        root_path = request.scope.get("root_path", "").rstrip("/")
        return JSONResponse(document | {"servers": [{"url": root_path}]} if root_path else document)

    def _make(self, catalog: Catalog, recipes: Mapping[str, AnnouncedRecipe]) -> Document:
        app = self._app
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _leave_out_fastapis_own_errors(document)
        document["paths"] = dict(_predictions(catalog)) | dict(_trainings(recipes)) | document["paths"]
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


def _trainings(recipes: Mapping[str, AnnouncedRecipe]) -> Iterator[tuple[str, Mapping[str, Operation]]]:
    """Yield path and operation of each recipe's training."""
    for name, recipe in recipes.items():
        yield f"/models/{name}/train", {"post": train_operation(name, recipe)}


def _leave_out_fastapis_own_errors(document: Document) -> None:
    """FastAPI says of every route with a parameter that it may answer 422 in FastAPI's form; here none does."""
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
