"""Takes one job after the other from the queue, and sees to it that each ends as its document says."""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from offpath.aws.job_store import JobStore, StoredJob
from offpath.contracts.errors import MalformedJob, ObjectChanged, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.training_job import id_in
from training.worker.attempt import Attempt, Ending, HandedBack, Limits, Lost, Training
from training.worker.job_lease import JobLease, LeaseLost
from training.worker.retry import retry
from training.worker.stop_signal import Stop
from training.worker.task_protocol import Failed, Succeeded

BACKOFF_SECONDS = 5.0
MAX_REASON = 4_000

log = logging.getLogger("worker")


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and what SQS wants to hear to change or delete it. receives: how often, this time included."""

    body: str
    receipt: str
    receives: int = 1


class Queue(Protocol):
    """The queue of jobs. Each method may raise Transient."""

    def receive(self) -> Received | None:
        """The next message, which others do not see for a while; waits for one."""

    def extend(self, message: Received) -> None:
        """Keep it from others for that while from now on."""

    def release(self, message: Received) -> None:
        """Let it be received again at once."""

    def leave(self, message: Received) -> None:
        """Leave it to a newer worker: this one receives it ever more seldom."""

    def delete(self, message: Received) -> None:
        """Take it off the queue."""


# Starts the training of a claimed job, with a folder of its own for files.
Start = Callable[[JobLease, str], Training]


class Worker:
    """Works until it is told to stop, whatever the trainings do."""

    def __init__(  # noqa: PLR0913, PLR0917  what it works with
        self,
        queue: Queue,
        store: JobStore,
        start: Start,
        limits: Limits,
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._store = store
        self._start = start
        self._limits = limits
        self._stop = stop
        self._clock = clock
        self._troubled = False

    def run(self) -> None:
        """Take jobs until a signal says otherwise."""
        try:
            while not self._stop.asked:
                self._step()
        except KeyboardInterrupt:
            return

    def _step(self) -> None:
        try:
            with self._stop.idle():
                message = self._queue.receive()
            self._recovered()
            if message:
                self.take(message)
        except Transient as error:
            self._back_off(error)

    def take(self, message: Received) -> None:
        """Do what a message asks for. Raises Transient: then it is received again."""
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

    def _job_of(self, message: Received) -> StoredJob | None:
        try:
            return self._store.read(id_in(message.body))
        except UnknownSchema as error:
            log.warning("a message is left on the queue: %s", error)
            self._queue.leave(message)
        except (MalformedJob, ObjectMissing) as error:
            log.warning("a message is deleted that stands for no job: %s", error)
            self._queue.delete(message)
        return None

    def _attempt(self, lease: JobLease, message: Received) -> Ending:
        job = lease.job
        log.info("job %s: attempt %d to train %s", job.id, job.attempts, job.model)
        with tempfile.TemporaryDirectory(prefix="offpath-job-") as folder:
            training = self._start(lease, folder)
            heartbeat = partial(self._queue.extend, message)
            return Attempt(lease, training, heartbeat, self._limits, lambda: self._stop.asked, self._clock).run()

    def _conclude(self, lease: JobLease, ending: Ending, message: Received) -> None:
        match ending:
            case Succeeded(result=result):
                retry(lambda: lease.succeeded(result))
                log.info("job %s succeeded: %s version %s", lease.job.id, lease.job.model, result.version)
            case Failed(reason=reason):
                self._fail(lease, reason)
            case Lost(reason=reason) if lease.last:
                self._fail(lease, f"{reason}; {lease.job.model} may have a version of this job without an alias")
            case Lost(reason=reason):
                log.warning("job %s is tried once more: %s", lease.job.id, reason)
                self._queue.release(message)
                return
            case HandedBack():
                retry(lease.hand_back)
                log.info("job %s is handed back", lease.job.id)
                self._queue.release(message)
                return
        retry(lambda: self._queue.delete(message))

    def _fail(self, lease: JobLease, reason: str) -> None:
        retry(lambda: lease.failed(reason[:MAX_REASON]))
        log.warning("job %s failed: %s", lease.job.id, reason)

    def _back_off(self, error: Transient) -> None:
        if not self._troubled:
            log.warning("the worker is in trouble, and goes on trying: %s", error)
        self._troubled = True
        with self._stop.idle():
            time.sleep(BACKOFF_SECONDS)

    def _recovered(self) -> None:
        if self._troubled:
            log.warning("the worker works again")
        self._troubled = False
