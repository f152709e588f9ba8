"""A fake of the worker's trainings."""

from __future__ import annotations

from collections.abc import Iterable

from offpath.testing import ManualClock
from training.worker.job_lease import JobLease
from training.worker.task_protocol import TaskMessage


class FakeTraining:
    """A training that sends these messages, one a step, each after so many seconds of the clock."""

    def __init__(
        self, clock: ManualClock, messages: Iterable[TaskMessage | None], seconds: float = 0, memory_mb: int = 0
    ) -> None:
        self._clock = clock
        self._messages = iter(messages)
        self._seconds = seconds
        self._memory_mb = memory_mb
        self.lease: JobLease | None = None
        self.confirmed = False
        self.killed = False

    def __call__(self, lease: JobLease, folder: str) -> FakeTraining:
        """Return itself, as the training that the worker starts."""
        self.lease = lease
        return self

    def next(self, seconds: float) -> TaskMessage | None:
        self._clock.advance(self._seconds)
        return next(self._messages, None)

    def confirm_registration(self) -> None:
        self.confirmed = True

    def memory_bytes(self) -> int:
        return self._memory_mb * 1_000_000

    def kill(self) -> None:
        self.killed = True
