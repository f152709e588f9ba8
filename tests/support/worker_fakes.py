"""A fake of the worker's trainings, and jobs for it to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from offpath.contracts.training_job import Job, Result, now
from offpath.testing import ManualClock
from training.worker.job_lease import JobLease
from training.worker.task_protocol import TaskMessage

JOB_ID = "20261121t101112-0123456789abcdef01234567"
RESULT = Result(version="3", run_id="r", run_url="http://m/r", version_url="http://m/v", metrics={"validation_f1": 0.9})


def new_job(job_id: str = JOB_ID, **changes: Any) -> Job:
    """Return a job that was just ordered."""
    at = now()
    return Job(id=job_id, model="iris", seed=42, created_at=at, updated_at=at).model_copy(update=changes)


class FakeTraining:
    """A training that sends these messages, one a step, each after so many seconds of the clock."""

    def __init__(
        self, clock: ManualClock, messages: Iterable[TaskMessage | None], seconds: float = 0, memory_mb: int = 0
    ) -> None:
        self._clock = clock
        self._messages = iter(messages)
        self._seconds = seconds
        self._memory_mb = memory_mb
        self.lease: JobLease | None = None
        self.confirmed = False
        self.killed = False

    def __call__(self, lease: JobLease, folder: str) -> FakeTraining:
        """Return itself, as the training that the worker starts."""
        self.lease = lease
        return self

    def next(self, seconds: float) -> TaskMessage | None:
        self._clock.advance(self._seconds)
        return next(self._messages, None)

    def confirm_registration(self) -> None:
        self.confirmed = True

    def memory_bytes(self) -> int:
        return self._memory_mb * 1_000_000

    def kill(self) -> None:
        self.killed = True
