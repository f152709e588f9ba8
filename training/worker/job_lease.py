"""Lease a job, so that this worker is the only one that may write the job's document."""

import secrets
from collections.abc import Callable

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, OffpathError, UnknownSchema
from offpath.contracts.training_job import Job, Progress, Result

# How often a job is tried whose worker ends in the middle of it.
MOST_ATTEMPTS = 2


class LeaseLost(OffpathError):
    """Another worker has the job now, or it was removed."""


class JobLease:
    """The lease of one job. Nothing is written before `acquire`.

    is_retry: an attempt was made before. is_last: this is the last attempt. is_exhausted: the job had all its attempts,
    so that it is not trained any more, only finished.
    """

    def __init__(self, store: JobStore, stored: StoredJob) -> None:
        self._store = store
        self._stored = stored
        self._claim = secrets.token_hex(8)
        self.is_retry = stored.job.started_at is not None
        self.is_last = stored.job.attempts + 1 >= MOST_ATTEMPTS
        self.is_exhausted = stored.job.attempts >= MOST_ATTEMPTS

    @property
    def job(self) -> Job:
        """Return the job as it was last written."""
        return self._stored.job

    def acquire(self) -> None:
        """Claim the job: one attempt more, unless it had all of them. Raises ObjectChanged, LeaseLost or Transient."""
        self._write(lambda job: job.started(self._claim, MOST_ATTEMPTS))

    def progressed(self, progress: Progress) -> None:
        """Note how far the attempt is. Raises LeaseLost or Transient."""
        self._write(lambda job: job.progressed(progress))

    def succeeded(self, result: Result) -> None:
        """End the job with its result. Raises LeaseLost or Transient."""
        self._write(lambda job: job.succeeded(result))

    def failed(self, reason: str) -> None:
        """End the job with the reason why it failed. Raises LeaseLost or Transient."""
        self._write(lambda job: job.failed(reason))

    def hand_back(self) -> None:
        """Leave the job to the next worker; this attempt does not count. Raises LeaseLost or Transient."""
        attempts = self.job.attempts if self.is_exhausted else self.job.attempts - 1
        self._write(lambda job: job.handed_back(attempts))

    def _write(self, change: Callable[[Job], Job]) -> None:
        changed = change(self.job)
        try:
            self._stored = self._store.replace(self._stored, changed)
        except ObjectChanged:
            self._stored = self._store.replace(self._own_document(), changed)

    def _own_document(self) -> StoredJob:
        """Read the document that an earlier request of this lease wrote, whose answer was lost. Raises LeaseLost."""
        try:
            found = self._store.read(self.job.id)
        except (ObjectMissing, MalformedJob, UnknownSchema) as error:
            raise LeaseLost(f"job {self.job.id} was removed, or a newer worker has it ({error})") from error
        if found.job.claim != self._claim:
            raise LeaseLost(f"job {self.job.id} was taken over by another worker")
        return found
