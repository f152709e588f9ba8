"""Training jobs, and what becomes of them."""

from __future__ import annotations

from typing import Any

from offpath.contracts.training_job import Job, Result, now

JOB_ID = "20261121t101112-0123456789abcdef01234567"
RESULT = Result(version="3", run_id="r", run_url="http://m/r", version_url="http://m/v", metrics={"validation_f1": 0.9})


def new_job(job_id: str = JOB_ID, **changes: Any) -> Job:
    """Return a job that was just ordered."""
    at = now()
    return Job(id=job_id, model="iris", seed=42, created_at=at, updated_at=at).model_copy(update=changes)
