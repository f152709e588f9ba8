"""A job that this worker has claimed, and the only one who may write its document."""

import secrets
from typing import Any

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, OffpathError
from offpath.contracts.training_job import Job, Progress, now

# How often a job is trained whose worker ends in the middle of it.
MOST_ATTEMPTS = 2


class LeaseLost(OffpathError):
    """Another worker has the job now."""


class JobLease:
    """Claims the job at once: one attempt more, unless it had all of them. Raises LeaseLost or Transient.

    again: an attempt was made before. last: this is the last attempt. exhausted: it may not even be trained any more,
    only finished.
    """

    def __init__(self, store: JobStore, stored: StoredJob) -> None:
        self._store = store
        self._stored = stored
        self._claim = secrets.token_hex(8)
        self.again = stored.job.started_at is not None
        self.last = stored.job.attempts + 1 >= MOST_ATTEMPTS
        self.exhausted = stored.job.attempts >= MOST_ATTEMPTS
        self.write(
            claim=self._claim,
            state="running",
            attempts=min(stored.job.attempts + 1, MOST_ATTEMPTS),
            started_at=now(),
            progress=Progress(text="starting"),
        )

    @property
    def job(self) -> Job:
        """The job as it was last written."""
        return self._stored.job

    def write(self, **changes: Any) -> None:
        """Change the document. Raises LeaseLost or Transient."""
        try:
            self._replace(changes)
        except ObjectChanged:
            self._stored = self._found_ours()
            self._replace(changes)

    def _replace(self, changes: dict[str, Any]) -> None:
        self._stored = self._store.replace(self._stored, self.job.with_(**changes))

    def hand_back(self) -> None:
        """Leave the job as if this attempt had not been. Raises LeaseLost or Transient."""
        attempts = self.job.attempts if self.exhausted else self.job.attempts - 1
        text = "its worker was stopped; it waits for the next one"
        self.write(claim="", state="queued", attempts=attempts, progress=Progress(text=text))

    def _found_ours(self) -> StoredJob:
        """The document as it is now: written by an earlier request of ours, whose answer was lost. Raises LeaseLost."""
        try:
            found = self._store.read(self.job.id)
        except (ObjectMissing, MalformedJob) as error:
            raise LeaseLost(f"job {self.job.id} was removed ({error})") from error
        if found.job.claim != self._claim:
            raise LeaseLost(f"job {self.job.id} was taken over by another worker")
        return found
