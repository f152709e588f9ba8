"""Takes training jobs, and tells how far they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Protocol

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.recipes import Recipes
from offpath.contracts.training_job import Job, is_id, message_of
from prediction_api.http.problems import FieldError, Problem, refused
from prediction_api.jobs.build_job import job_of
from prediction_api.jobs.recipe_book import RecipeBook, unavailable

NOT_QUEUED = "it could not be queued; send the request again"


class JobQueue(Protocol):
    """Where the worker hears of jobs."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send these; those not taken come back. Raises Transient."""


class Datasets(Protocol):
    """Where data lie."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file. Raises Transient."""


class Training:
    """Every method raises Problem for what it refuses, or cannot do now."""

    def __init__(self, book: RecipeBook, store: JobStore, queue: JobQueue, datasets: Datasets) -> None:
        self._book = book
        self._store = store
        self._queue = queue
        self._datasets = datasets

    def recipes(self) -> Recipes:
        """What can be trained."""
        return self._book.recipes()

    def submit(self, name: str, body: bytes) -> Job:
        """Queue a training. The document is there before the message: the worker never looks for it in vain."""
        job = job_of(name, self._book.find(name), body)
        with _s3_or_sqs():
            self._check_data(job)
            stored = self._store.create(job)
            return stored.job if self._sent(job) else self._given_up(stored)

    def find(self, job_id: str) -> Job:
        """The job of that id."""
        try:
            if not is_id(job_id):
                raise ObjectMissing(job_id)
            with _s3_or_sqs():
                return self._store.read(job_id).job
        except (ObjectMissing, MalformedJob) as error:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no job {job_id[:80]!r}") from error

    def _check_data(self, job: Job) -> None:
        missing = [at for at, key in enumerate(job.data) if not self._datasets.exists(key)]
        if missing:
            errors = [FieldError(f"data[{at}]", f"there is no {job.data[at]} in the bucket") for at in missing]
            raise refused(f"{len(missing)} file(s) to learn from are not there", errors)

    def _sent(self, job: Job) -> bool:
        try:
            return not self._queue.send([message_of(job.id)])
        except Transient:
            return False

    def _given_up(self, stored: StoredJob) -> Job:
        """Close a job that SQS does not say it took; if a worker has it all the same, it is as good as queued."""
        try:
            self._store.replace(stored, stored.job.failed(NOT_QUEUED))
        except ObjectChanged:
            return self._store.read(stored.job.id).job
        raise unavailable(f"the job {stored.job.id} failed: {NOT_QUEUED}")


@contextmanager
def _s3_or_sqs() -> Iterator[None]:
    try:
        yield
    except Transient as error:
        raise unavailable(f"training jobs cannot be reached: {error}") from error
    except UnknownSchema as error:
        raise unavailable(f"a newer version of the training worker has the job: {error}") from error
