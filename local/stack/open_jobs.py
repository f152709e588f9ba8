"""Queue training jobs again whose messages are gone: their documents in S3 tell which have not ended."""

from typing import Protocol

from offpath.aws.job_store import StoredJob
from offpath.contracts.errors import MalformedJob, ObjectMissing, UnknownSchema
from offpath.contracts.training_job import message_of
from offpath.replay import Producer


class Jobs(Protocol):
    """Read the documents of training jobs. Each method may raise Transient."""

    def ids(self) -> list[str]:
        """Return the ids of all jobs."""

    def read(self, job_id: str) -> StoredJob:
        """Return the job of that id. Raises ObjectMissing, MalformedJob or UnknownSchema."""


def resume(jobs: Jobs, queue: Producer) -> int:
    """Put every job that has not ended on the queue, and return how many there were. Raises Transient."""
    unfinished = [job_id for job_id in jobs.ids() if _is_open(jobs, job_id)]
    for job_id in unfinished:
        queue.send([message_of(job_id)])
    return len(unfinished)


def _is_open(jobs: Jobs, job_id: str) -> bool:
    try:
        return not jobs.read(job_id).job.ended
    except UnknownSchema:  # a newer worker, which knows whether it has ended, finds its message on the queue
        return True
    except (ObjectMissing, MalformedJob):
        return False
