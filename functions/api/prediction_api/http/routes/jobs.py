"""`GET /jobs/{job_id}`."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from offpath.contracts.training_job import PublicJob
from prediction_api.http.routes.training import configured

router = APIRouter(tags=["training"])


@router.get("/jobs/{job_id}", summary="How far a training is")
async def get_job(job_id: str, request: Request) -> PublicJob:
    """A training job: queued, running with its progress, succeeded with its version, or failed with the reason."""
    return await run_in_threadpool(configured(request).find, job_id)
