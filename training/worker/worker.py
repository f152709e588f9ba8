"""Take one job after the other from the queue, and end each as its document says."""

import logging
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.message import ReceivedMessage
from offpath.contracts.training_job import id_in
from offpath.retry import retry
from training.worker.attempt import Attempt, EndedRegistering, Ending, HandedBack, RunningTraining, Supervision
from training.worker.backoff import OUTAGE, WRITE
from training.worker.job_lease import JobLease, LeaseLost
from training.worker.task_protocol import Failed, Succeeded

MAX_REASON = 4_000

log = logging.getLogger("worker")


class JobQueue(Protocol):
    """The queue of jobs. Each method may raise Transient."""

    def receive(self) -> ReceivedMessage | None:
        """Wait for the next message, and hide it from other workers until its visibility timeout is over."""

    def extend(self, message: ReceivedMessage) -> None:
        """Let the visibility timeout of a message begin anew."""

    def release(self, message: ReceivedMessage) -> None:
        """Let a message be received again at once."""

    def leave(self, message: ReceivedMessage) -> None:
        """Leave a message for a newer worker: this one receives it after longer and longer pauses."""

    def delete(self, message: ReceivedMessage) -> None:
        """Take a message off the queue."""


# Start the training of a leased job, with a folder of its own for files.
StartTraining = Callable[[JobLease, str], RunningTraining]


class TrainingWorker:
    """Work until a signal comes, whatever the trainings do."""

    def __init__(self, queue: JobQueue, store: JobStore, start: StartTraining, supervision: Supervision) -> None:
        self._queue = queue
        self._store = store
        self._start = start
        self._supervision = supervision
        self._stop_signal = supervision.stop_signal
        self._pauses = OUTAGE.pauses()
        self._failing = False

    def run(self) -> None:
        """Take jobs until a signal comes."""
        try:
            while not self._stop_signal.received:
                self._step()
        except KeyboardInterrupt:
            return

    def _step(self) -> None:
        try:
            with self._stop_signal.idle():
                message = self._queue.receive()
            self._note_success()
            if message:
                self.take(message)
        except Transient as error:
            self._back_off(error)

    def take(self, message: ReceivedMessage) -> None:
        """Train the job that a message names. Raises Transient: then the message is received again."""
        stored = self._job_of(message)
        if stored is None:
            return
        if stored.job.ended:
            self._queue.delete(message)
            return
        try:
            lease = JobLease(self._store, stored)
            lease.acquire()
            self._conclude(lease, self._attempt(lease, message), message)
        except (LeaseLost, ObjectChanged) as error:
            log.warning("%s", error)

    def _job_of(self, message: ReceivedMessage) -> StoredJob | None:
        try:
            return self._store.read(id_in(message.body))
        except UnknownSchema as error:
            log.warning("a message is left on the queue: %s", error)
            self._queue.leave(message)
        except (MalformedJob, ObjectMissing) as error:
            log.warning("a message is deleted that stands for no job: %s", error)
            self._queue.delete(message)
        return None

    def _attempt(self, lease: JobLease, message: ReceivedMessage) -> Ending:
        job = lease.job
        log.info("job %s: attempt %d to train %s", job.id, job.attempts, job.model)
        with tempfile.TemporaryDirectory(prefix="offpath-job-") as folder:
            training = self._start(lease, folder)
            heartbeat = partial(self._queue.extend, message)
            return Attempt(lease, training, heartbeat, self._supervision).run()

    def _conclude(self, lease: JobLease, ending: Ending, message: ReceivedMessage) -> None:
        match ending:
            case Succeeded(result=result):
                retry(lambda: lease.succeeded(result), WRITE)
                log.info("job %s succeeded: %s version %s", lease.job.id, lease.job.model, result.version)
            case Failed(reason=reason):
                self._fail(lease, reason)
            case EndedRegistering(reason=reason) if lease.is_last:
                self._fail(lease, f"{reason}; {lease.job.model} may have a version of this job without an alias")
            case EndedRegistering(reason=reason):
                log.warning("job %s is tried once more: %s", lease.job.id, reason)
                self._queue.release(message)
                return
            case HandedBack():
                retry(lease.hand_back, WRITE)
                log.info("job %s is handed back", lease.job.id)
                self._queue.release(message)
                return
        retry(lambda: self._queue.delete(message), WRITE)

    def _fail(self, lease: JobLease, reason: str) -> None:
        retry(lambda: lease.failed(reason[:MAX_REASON]), WRITE)
        log.warning("job %s failed: %s", lease.job.id, reason)

    def _back_off(self, error: Transient) -> None:
        if not self._failing:
            log.warning("the queue or the bucket cannot be used, retrying: %s", error)
        self._failing = True
        with self._stop_signal.idle():
            time.sleep(next(self._pauses))

    def _note_success(self) -> None:
        if self._failing:
            log.warning("the queue and the bucket can be used again")
        self._failing = False
