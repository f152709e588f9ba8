"""`POST /models/{name}/train`, `GET /recipes` and `GET /jobs/{job_id}`."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from offpath.contracts.recipes import AnnouncedRecipe
from offpath.contracts.training_job import PublicJob
from prediction_api.errors import MalformedBody, TrainingNotConfigured
from prediction_api.http.body import read_body
from prediction_api.http.openapi.parts import schema_of
from prediction_api.http.public_route import PublicRoute
from prediction_api.http.services import services
from prediction_api.inputs.not_json import not_json
from prediction_api.jobs.request import TrainingRequest
from prediction_api.jobs.training import Training

MAX_BODY_BYTES = 100_000
EXAMPLE = '{"parameters": {…}}'

router = APIRouter(route_class=PublicRoute, tags=["training"])


def _training(request: Request) -> Training:
    """Return what takes jobs. Raises TrainingNotConfigured where none are taken."""
    training = services(request).training
    if training is None:
        raise TrainingNotConfigured("models are not trained here: OFFPATH_TRAINING_QUEUE_URL is not set")
    return training


@router.post(
    "/models/{name}/train",
    summary="Train a model",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": schema_of(TrainingRequest)}}}},
)
async def train(name: str, request: Request, response: Response) -> PublicJob:
    """Queue a training by the recipe of that name; `GET /jobs/{id}` tells how far it is."""
    training = _training(request)
    body = await read_body(request, MAX_BODY_BYTES, "data travel through the bucket")
    try:
        job = await run_in_threadpool(training.submit, name, body)
    except MalformedBody as error:
        raise not_json(error, body, request.headers.get("content-type", ""), EXAMPLE) from error
    response.headers["location"] = request.url_for("get_job", job_id=job.id).path
    return job


@router.get("/recipes", summary="List what can be trained")
async def list_recipes(request: Request) -> dict[str, AnnouncedRecipe]:
    """Each recipe's hyperparameters, as a JSON schema, and the metrics that a promotion can ask for."""
    return (await run_in_threadpool(_training(request).recipes)).recipes


@router.get("/jobs/{job_id}", summary="How far a training is")
async def get_job(job_id: str, request: Request) -> PublicJob:
    """A training job: queued, running with its progress, succeeded with its version, or failed with the reason."""
    return await run_in_threadpool(_training(request).find, job_id)
