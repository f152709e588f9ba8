"""Takes training jobs, and reports their progress."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.recipes import Recipes
from offpath.contracts.training_job import Job, is_id, message_of
from prediction_api.errors import FieldError, InvalidInputs, TrainingUnavailable, UnknownJob
from prediction_api.jobs.build_job import build_job
from prediction_api.jobs.recipe_book import RecipeBook

NOT_QUEUED = "it could not be queued; send the request again"


class JobQueue(Protocol):
    """The queue that the training worker reads."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send messages, and return those that were not taken. Raises Transient."""


class Datasets(Protocol):
    """The store of files to learn from."""

    def exists(self, key: str) -> bool:
        """Tell whether there is such a file. Raises Transient."""


class Training:
    """Takes training jobs. Every method raises PredictionApiError for what it refuses or cannot do now."""

    def __init__(self, book: RecipeBook, store: JobStore, queue: JobQueue, datasets: Datasets) -> None:
        self._book = book
        self._store = store
        self._queue = queue
        self._datasets = datasets

    def recipes(self) -> Recipes:
        """Return the recipes that can be trained."""
        return self._book.recipes()

    def submit(self, name: str, body: bytes) -> Job:
        """Queue a training. The document is written before the message is sent: the worker always finds it."""
        job = build_job(name, self._book.find(name), body)
        with _s3_or_sqs():
            self._check_data(job)
            stored = self._store.create(job)
            return stored.job if self._sent(job) else self._closed(stored)

    def find(self, job_id: str) -> Job:
        """Return the job of that id."""
        try:
            if not is_id(job_id):
                raise ObjectMissing(job_id)
            with _s3_or_sqs():
                return self._store.read(job_id).job
        except (ObjectMissing, MalformedJob) as error:
            raise UnknownJob(f"there is no job {job_id[:80]!r}") from error

    def _check_data(self, job: Job) -> None:
        missing = [at for at, key in enumerate(job.data) if not self._datasets.exists(key)]
        if missing:
            errors = [FieldError(f"data[{at}]", f"there is no {job.data[at]} in the bucket") for at in missing]
            raise InvalidInputs(f"{len(missing)} file(s) to learn from are not there", errors)

    def _sent(self, job: Job) -> bool:
        try:
            return not self._queue.send([message_of(job.id)])
        except Transient:
            return False

    def _closed(self, stored: StoredJob) -> Job:
        """Mark a job as failed whose message SQS did not confirm; one that a worker has changed counts as queued."""
        try:
            self._store.replace(stored, stored.job.failed(NOT_QUEUED))
        except ObjectChanged:
            return self._store.read(stored.job.id).job
        raise TrainingUnavailable(f"the job {stored.job.id} failed: {NOT_QUEUED}")


@contextmanager
def _s3_or_sqs() -> Iterator[None]:
    try:
        yield
    except Transient as error:
        raise TrainingUnavailable(f"training jobs cannot be reached: {error}") from error
    except UnknownSchema as error:
        raise TrainingUnavailable(f"a newer version of the training worker has the job: {error}") from error
