"""`GET /models` and `GET /models/{name}`."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from offpath.contracts.model_manifest import Column, Signature
from prediction_api.http.public_route import PublicRoute
from prediction_api.http.services import services
from prediction_api.inputs.batch import can_be_absent
from prediction_api.models.served import ServedModel
from prediction_api.models.variants import Variants
from prediction_api.routing.model_selector import CHAMPION_SELECTOR

router = APIRouter(route_class=PublicRoute, tags=["models"])


class VersionDescription(BaseModel):
    """A version that is served, under one of its model's aliases."""

    version: str
    alias: str
    weight: int = Field(description="share of the model's traffic, in percent")
    shadow: bool = Field(description="whether it predicts in the background what another version answered")
    run_id: str | None = Field(description="the MLflow run that trained it")
    description: str = Field(description="what the registry says of the version")
    task: str
    unit: str = Field(description="of a regression's value, or empty where it is not known")
    labels: tuple[str, ...] = Field(description="class names, by class index")
    signature: Signature
    input_example: dict[str, Any] | list[Any] | None = Field(
        description="one record; of tensors, what `inputs` may hold"
    )
    problem: str = Field(description="why a newer version is not the one that is served, or empty")


class ModelDescription(VersionDescription):
    """A model that is served: its champion, and its other aliases."""

    name: str
    aliases: list[VersionDescription] = Field(description="the other aliases that can be asked for")


class ModelList(BaseModel):
    """All models that are served."""

    models: list[ModelDescription]


@router.get("/models", summary="List the models that are served")
async def list_models(request: Request) -> ModelList:
    """Each model's aliases, with version, share of the traffic and signature."""
    catalog = services(request).loader.catalog
    return ModelList(models=[_describe(champion, catalog.find(champion.name)) for champion in catalog.champions])


@router.get("/models/{name}", summary="Describe a model")
async def get_model(name: str, request: Request) -> ModelDescription:
    """One model's aliases, with version, share of the traffic and signature."""
    variants = services(request).loader.catalog.find(name)
    return _describe(variants.select(CHAMPION_SELECTOR), variants)


def _describe(champion: ServedModel, variants: Variants) -> ModelDescription:
    others = [_version(served) for served in variants.served if served.alias != champion.alias]
    return ModelDescription(name=variants.name, aliases=others, **_version(champion).model_dump())


def _effective(signature: Signature) -> Signature:
    """Return the signature with `required` as requests find it."""
    inputs = tuple(
        entry.model_copy(update={"required": not can_be_absent(entry)}) if isinstance(entry, Column) else entry
        for entry in signature.inputs
    )
    return signature.model_copy(update={"inputs": inputs})


def _version(served: ServedModel) -> VersionDescription:
    version = served.version
    return VersionDescription(
        version=version.number,
        alias=served.alias,
        weight=version.weight,
        shadow=version.shadow,
        run_id=version.run_id,
        description=version.description,
        task=version.task,
        unit=version.unit,
        labels=version.labels,
        signature=_effective(version.signature),
        input_example=version.input_example,
        problem=served.problem,
    )
