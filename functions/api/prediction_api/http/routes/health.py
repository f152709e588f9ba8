"""`GET /health`: this function's own state; no other service is asked."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from offpath.contracts.names import CHAMPION
from prediction_api.http.public_route import PublicRoute
from prediction_api.http.services import services
from prediction_api.models.catalog import Catalog
from prediction_api.models.served import FailedModel, ServedModel
from prediction_api.models.variants import Variants

router = APIRouter(route_class=PublicRoute, tags=["operations"])


class AliasHealth(BaseModel):
    """Whether a version answers."""

    state: Literal["serving", "failed"]
    version: str | None = None
    problem: str = Field("", description="what is wrong: with this version, or with a newer one under its alias")


class ModelHealth(AliasHealth):
    """Whether a model's champion answers, and its other aliases."""

    aliases: dict[str, AliasHealth] = Field({}, description="the other aliases")


class Health(BaseModel):
    """Whether this process can predict. `degraded`: some of it can, or it can with what it had."""

    status: Literal["ok", "degraded", "unavailable"]
    problem: str = Field("", description="what is wrong with the model manifest")
    models: dict[str, ModelHealth]


@router.get("/health", summary="This process's own state")
async def health(request: Request, response: Response) -> Health:
    """200 while any model answers, 503 when none does."""
    state = _health(services(request).loader.catalog)
    if state.status == "unavailable":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return state


def _health(catalog: Catalog) -> Health:
    models = {name: _model(variants) for name, variants in sorted(catalog.models.items())}
    return Health(status=_status(catalog), problem=catalog.problem, models=models)


def _status(catalog: Catalog) -> Literal["ok", "degraded", "unavailable"]:
    if not any(variants.served for variants in catalog.models.values()):
        return "unavailable"
    troubled = catalog.problem or any(variants.problems for variants in catalog.models.values())
    return "degraded" if troubled else "ok"


def _model(variants: Variants) -> ModelHealth:
    aliases = {alias: _alias(variant) for alias, variant in sorted(variants.by_alias.items())}
    champion = aliases.pop(CHAMPION)
    return ModelHealth(**champion.model_dump(), aliases=aliases)


def _alias(variant: ServedModel | FailedModel) -> AliasHealth:
    match variant:
        case ServedModel(version=version, problem=problem):
            return AliasHealth(state="serving", version=version.number, problem=problem)
        case FailedModel(problem=problem):
            return AliasHealth(state="failed", problem=problem)
