"""Stand-ins for what the training worker talks to; test_training_queue.py holds the fake queue to what SQS does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from offpath.contracts.errors import Transient
from offpath.contracts.training_job import Job, Result, now
from training.worker.job_lease import JobLease
from training.worker.sqs_jobs import pause_seconds
from training.worker.task_protocol import TaskMessage
from training.worker.worker import Received

JOB_ID = "20261121t101112-0123456789abcdef01234567"
RESULT = Result(version="3", run_id="r", run_url="http://m/r", version_url="http://m/v", metrics={"validation_f1": 0.9})


def new_job(job_id: str = JOB_ID, **changes: Any) -> Job:
    """A job that was just ordered."""
    at = now()
    return Job(id=job_id, model="iris", seed=42, created_at=at, updated_at=at).model_copy(update=changes)


@dataclass
class FakeJobQueue:
    """A queue in memory, with its own clock in seconds."""

    visibility_seconds: int = 60
    now: float = 0.0
    down: bool = False
    _bodies: dict[str, str] = field(default_factory=dict)
    _visible_at: dict[str, float] = field(default_factory=dict)
    _receives: Counter[str] = field(default_factory=Counter)

    def add(self, body: str) -> None:
        number = str(len(self._bodies))
        self._bodies[number], self._visible_at[number] = body, self.now

    def receive(self) -> Received | None:
        self._check()
        for number, at in self._visible_at.items():
            if at <= self.now:
                self._visible_at[number] = self.now + self.visibility_seconds
                self._receives[number] += 1
                return Received(self._bodies[number], number, self._receives[number])
        return None

    def extend(self, message: Received) -> None:
        self._check()
        self._visible_at[message.receipt] = self.now + self.visibility_seconds

    def release(self, message: Received) -> None:
        self._check()
        self._visible_at[message.receipt] = self.now

    def leave(self, message: Received) -> None:
        self._check()
        self._visible_at[message.receipt] = self.now + pause_seconds(self.visibility_seconds, message.receives)

    def delete(self, message: Received) -> None:
        self._check()
        self._visible_at.pop(message.receipt, None)

    @property
    def visible(self) -> int:
        """How many messages can be received."""
        return sum(at <= self.now for at in self._visible_at.values())

    @property
    def kept(self) -> int:
        """How many messages there are."""
        return len(self._visible_at)

    def _check(self) -> None:
        if self.down:
            raise Transient("the queue does not answer")


class FakeTraining:
    """A training that says these words, one a step, each of them after so many seconds of the queue's clock."""

    def __init__(
        self, queue: FakeJobQueue, words: Iterable[TaskMessage | None], seconds: float = 0, memory_mb: int = 0
    ) -> None:
        self._queue = queue
        self._words = iter(words)
        self._seconds = seconds
        self._memory_mb = memory_mb
        self.lease: JobLease | None = None
        self.let_go = False
        self.killed = False

    def __call__(self, lease: JobLease, folder: str) -> FakeTraining:
        """The worker starts it."""
        self.lease = lease
        return self

    def next(self, seconds: float) -> TaskMessage | None:
        self._queue.now += self._seconds
        return next(self._words, None)

    def go(self) -> None:
        self.let_go = True

    def memory_bytes(self) -> int:
        return self._memory_mb * 1_000_000

    def kill(self) -> None:
        self.killed = True
