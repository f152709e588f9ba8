"""The HTTP application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi_swagger import patch_fastapi
from starlette.exceptions import HTTPException

from offpath.contracts.recipes import AnnouncedRecipe
from offpath.tracing import Tracing, untraced
from prediction_api.errors import PredictionApiError, TrainingUnavailable
from prediction_api.http.api_key_gate import ApiKeyGate
from prediction_api.http.cors import allow_origins
from prediction_api.http.openapi.document import OpenApi
from prediction_api.http.problems import problem, problem_of
from prediction_api.http.routes import health, invocations, models, predict, training
from prediction_api.http.services import Services, provide
from prediction_api.jobs.training import Training
from prediction_api.models.loader import ModelLoader
from prediction_api.prediction_flow import PredictionFlow
from prediction_api.settings import ApiSettings
from prediction_api.shadow import Shadows

SCOPE = "offpath.prediction_api"
NO_RECIPES: Mapping[str, AnnouncedRecipe] = {}


def create_app(
    loader: ModelLoader, tracing: Tracing, settings: ApiSettings, trainings: Training | None = None
) -> FastAPI:
    """Return the application that serves the loader's models, keeps them fresh, and traces every prediction.

    trainings: takes training jobs; None where none are taken.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        tracing.shutdown()

    app = FastAPI(
        title="offpath",
        version="1",
        description="Predictions by the models of an MLflow registry, each of them traced.",
        lifespan=lifespan,
        openapi_url=None,  # FastAPI's own route would make the document within the event loop
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        # FastAPI's own spans would be a second, thinner trace of each request.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    tracer = tracing.tracer(SCOPE)
    shadows = Shadows(tracer)
    tracing.add_periodic_task(untraced()(loader.refresh_when_due))
    tracing.add_periodic_task(shadows.run)
    flow = PredictionFlow(loader, shadows, tracer, settings.experiment)
    provide(app, Services(settings, loader, tracing, tracer, flow, trainings))
    for routes in (predict, invocations, models, training, health):
        app.include_router(routes.router)
    if settings.digests:
        app.add_middleware(ApiKeyGate, digests=settings.digests)
    if settings.origins:
        allow_origins(app, settings.origins)  # around the gate: a preflight has no key
    app.add_exception_handler(PredictionApiError, _refuse)
    app.add_exception_handler(HTTPException, _http_error)
    documentation = OpenApi(app, loader, partial(_recipes, trainings), has_keys=bool(settings.digests))
    app.openapi_url = "/openapi.json"
    app.add_route(app.openapi_url, documentation.answer, include_in_schema=False)
    patch_fastapi(app)  # FastAPI's own page would load its scripts from another server
    return app


def _recipes(trainings: Training | None) -> Mapping[str, AnnouncedRecipe]:
    """Return the recipes that can be trained; none while they are not known."""
    try:
        return trainings.recipes().recipes if trainings else NO_RECIPES
    except TrainingUnavailable:
        return NO_RECIPES


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, PredictionApiError)
    return problem_of(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer a request that the router refuses: an unknown path, or a method that the path does not have."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = f"{request.method} {request.url.path}: {status.phrase.lower()}; /docs lists what there is"
    return problem(status, detail, error.headers)
