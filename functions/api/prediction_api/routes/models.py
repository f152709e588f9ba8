"""`GET /models` and `GET /models/{name}`."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from offpath.manifest import Signature
from prediction_api.catalog import ServedModel
from prediction_api.loader import ModelLoader

router = APIRouter(tags=["models"])


class ModelDescription(BaseModel):
    """A model that is served."""

    name: str
    version: str
    alias: str
    weight: int = Field(description="share of the model's traffic, in percent")
    run_id: str | None = Field(description="the MLflow run that trained it")
    task: str
    labels: tuple[str, ...] = Field(description="class names, by class index")
    signature: Signature
    input_example: dict[str, Any] | list[Any] | None = Field(
        description="one record; of tensors, what `inputs` may hold"
    )
    problem: str = Field(description="why a newer version is not the one that is served, or empty")


class ModelList(BaseModel):
    """All models that are served."""

    models: list[ModelDescription]


@router.get("/models", summary="List the models that are served")
async def list_models(request: Request) -> ModelList:
    """Each model's version, alias and signature."""
    loader: ModelLoader = request.app.state.loader
    return ModelList(models=[_describe(served) for served in loader.catalog.served])


@router.get("/models/{name}", summary="Describe a model")
async def get_model(name: str, request: Request) -> ModelDescription:
    """One model's version, alias and signature."""
    loader: ModelLoader = request.app.state.loader
    return _describe(loader.catalog.find(name))


def _describe(served: ServedModel) -> ModelDescription:
    version = served.version
    return ModelDescription(
        name=served.name,
        version=version.version,
        alias=served.alias,
        weight=version.weight,
        run_id=version.run_id,
        task=version.task,
        labels=version.labels,
        signature=version.signature,
        input_example=version.input_example,
        problem=served.problem,
    )
