"""Keep jobs in the pipeline's bucket. A document is replaced only as long as it is the one that was read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from offpath.aws.s3 import Fetched
from offpath.contracts.errors import ObjectChanged
from offpath.contracts.names import JOBS_PREFIX, job_key
from offpath.contracts.training_job import Job


class JobBucket(Protocol):
    """The bucket that jobs are in. Each method may raise Transient."""

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object; None if its entity tag is still that one. Raises ObjectMissing."""

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace what has that entity tag, None for what is not there; return the new tag. Raises ObjectChanged."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with the prefix."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job, and the entity tag of the document that it was read from or written as."""

    job: Job
    etag: str


class JobStore:
    """The jobs of one bucket. Every method may raise Transient."""

    def __init__(self, bucket: JobBucket) -> None:
        self._bucket = bucket

    def create(self, job: Job) -> StoredJob:
        """Write the document of a new job."""
        try:
            return StoredJob(job, self._bucket.put_if_unchanged(job_key(job.id), job.to_json(), None))
        except ObjectChanged:  # nobody else has that id: an answer of S3 was lost, and its client tried once more
            return self.read(job.id)

    def read(self, job_id: str) -> StoredJob:
        """Return the job of that id. Raises ObjectMissing, MalformedJob, or UnknownSchema."""
        fetched = self._bucket.get_if_changed(job_key(job_id), None)
        assert fetched is not None  # nothing can be unchanged since no time at all
        return StoredJob(Job.parse(fetched.content), fetched.etag)

    def replace(self, stored: StoredJob, job: Job) -> StoredJob:
        """Write the job in place of what was stored. Raises ObjectChanged if somebody else did in the meantime."""
        return StoredJob(job, self._bucket.put_if_unchanged(job_key(job.id), job.to_json(), stored.etag))

    def ids(self) -> list[str]:
        """Return the ids of all jobs, the oldest first."""
        return [key.removeprefix(JOBS_PREFIX).removesuffix(".json") for key in self._bucket.keys(JOBS_PREFIX)]
