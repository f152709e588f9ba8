"""`GET /health`: this function's own state; no other service is asked."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from prediction_api.catalog import Catalog, FailedModel, ServedModel
from prediction_api.loader import ModelLoader

router = APIRouter(tags=["operations"])


class ModelHealth(BaseModel):
    """Whether a model answers."""

    state: Literal["serving", "failed"]
    version: str | None = None
    problem: str = Field("", description="what is wrong: with this model, or with a newer version of it")


class Health(BaseModel):
    """Whether this process can predict. `degraded`: some of it can, or it can with what it had."""

    status: Literal["ok", "degraded", "unavailable"]
    problem: str = Field("", description="what is wrong with the model manifest")
    models: dict[str, ModelHealth]


@router.get("/health", summary="This process's own state")
async def health(request: Request, response: Response) -> Health:
    """200 while any model answers, 503 when none does."""
    loader: ModelLoader = request.app.state.loader
    state = _health(loader.catalog)
    if state.status == "unavailable":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return state


def _health(catalog: Catalog) -> Health:
    models = {name: _model(model) for name, model in sorted(catalog.models.items())}
    return Health(status=_status(catalog), problem=catalog.problem, models=models)


def _status(catalog: Catalog) -> Literal["ok", "degraded", "unavailable"]:
    if not catalog.served:
        return "unavailable"
    troubled = catalog.problem or any(model.problem for model in catalog.models.values())
    return "degraded" if troubled else "ok"


def _model(model: ServedModel | FailedModel) -> ModelHealth:
    match model:
        case ServedModel(version=version, problem=problem):
            return ModelHealth(state="serving", version=version.version, problem=problem)
        case FailedModel(problem=problem):
            return ModelHealth(state="failed", problem=problem)
