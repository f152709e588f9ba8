"""Training jobs over a restart: moto's queue lives in memory, and their documents in S3."""

from collections.abc import Sequence
from typing import Protocol

from offpath.aws.job_store import StoredJob
from offpath.contracts.errors import MalformedJob, ObjectMissing, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.training_job import message_of


class Jobs(Protocol):
    """The jobs' documents. Each method may raise Transient."""

    def ids(self) -> list[str]:
        """The ids of all jobs."""

    def read(self, job_id: str) -> StoredJob:
        """The job of that id. Raises ObjectMissing, MalformedJob or UnknownSchema."""


class Producer(Protocol):
    """A queue, as a producer sees it."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send these; those not taken come back. Raises Transient."""


def resume(jobs: Jobs, queue: Producer) -> int:
    """Put every job that has not ended on the queue; how many there were. Raises Transient."""
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
