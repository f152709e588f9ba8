"""`POST /models/{name}/train`, and what can be trained."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from offpath.contracts.recipes import AnnouncedRecipe
from offpath.contracts.training_job import PublicJob
from prediction_api.errors import TrainingNotConfigured
from prediction_api.http.body import read_body
from prediction_api.http.services import services
from prediction_api.jobs.request import TrainingRequest
from prediction_api.jobs.training import Training

MAX_BODY_BYTES = 100_000

router = APIRouter(tags=["training"])


def configured(request: Request) -> Training:
    """What takes jobs. Raises TrainingNotConfigured where none are taken."""
    training = services(request).training
    if training is None:
        raise TrainingNotConfigured("models are not trained here: OFFPATH_TRAINING_QUEUE_URL is not set")
    return training


def _request_schema() -> dict[str, Any]:
    """With what it refers to in its place: the OpenAPI document has no room of its own for that."""
    schema = TrainingRequest.model_json_schema()
    written: dict[str, Any] = _inlined(schema, schema.pop("$defs"))
    return written


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    match part:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.rsplit("/", 1)[-1]], definitions)
        case dict():
            return {name: _inlined(value, definitions) for name, value in part.items()}
        case list():
            return [_inlined(value, definitions) for value in part]
        case _:
            return part


@router.post(
    "/models/{name}/train",
    summary="Train a model",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": _request_schema()}}}},
)
async def train(name: str, request: Request, response: Response) -> PublicJob:
    """Queue a training by the recipe of that name; `GET /jobs/{id}` tells how far it is."""
    training = configured(request)
    body = await read_body(request, MAX_BODY_BYTES, "data travel through the bucket")
    job = await run_in_threadpool(training.submit, name, body)
    response.headers["location"] = request.url_for("get_job", job_id=job.id).path
    return job


@router.get("/recipes", summary="List what can be trained")
async def list_recipes(request: Request) -> dict[str, AnnouncedRecipe]:
    """Each recipe's hyperparameters, as a JSON schema, and the metrics that a promotion can ask for."""
    return (await run_in_threadpool(configured(request).recipes)).recipes
