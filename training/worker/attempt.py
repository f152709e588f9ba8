"""One attempt of a job: follows its process, keeps its message from others, and holds it to its limits."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from offpath.contracts.errors import Transient
from offpath.contracts.training_job import Progress, Result
from training.worker.job_lease import JobLease
from training.worker.retry import retry
from training.worker.task_protocol import Exited, Failed, Progressed, ReadyToRegister, Succeeded, TaskMessage

TICK_SECONDS = 0.2
NOTE_SECONDS = 1.5
# What follows the training is MLflow's to take, whose client tries for minutes.
REGISTERING_SECONDS = 300.0
MEGABYTE = 1_000_000


class Training(Protocol):
    """A process that trains."""

    def next(self, seconds: float) -> TaskMessage | None:
        """What it says next; None if it says nothing for so long."""

    def go(self) -> None:
        """Let it register a version."""

    def memory_bytes(self) -> int:
        """The memory that it takes."""

    def kill(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one attempt may take. heartbeat_seconds: how often it is said that it lives."""

    seconds: float
    memory_mb: int | None
    heartbeat_seconds: float


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The worker is to stop: the attempt does not count."""


@dataclass(frozen=True, slots=True)
class Lost:
    """It ended while it registered a version: what there is of that, the next attempt finds."""

    reason: str


Ending = Succeeded | Failed | HandedBack | Lost


class Attempt:
    """Follows a training to its end. heartbeat: keeps the job's message from other workers."""

    def __init__(  # noqa: PLR0913, PLR0917  what is followed, and by what it is lease
        self,
        lease: JobLease,
        training: Training,
        heartbeat: Callable[[], None],
        limits: Limits,
        stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease = lease
        self._training = training
        self._heartbeat = heartbeat
        self._limits = limits
        self._stopping = stopping
        self._clock = clock
        self._ends = clock() + limits.seconds
        self._heartbeat_at = self._noted = clock()
        self._progress = lease.job.progress
        self._registering = False

    def run(self) -> Ending:
        """How it ended; its process has ended then, too. Raises LeaseLost, or Transient when S3 is away for long."""
        try:
            while (ending := self._step()) is None:
                pass
            return ending
        finally:
            self._training.kill()

    def _step(self) -> Ending | None:
        if self._stopping():
            return HandedBack()
        if ending := self._over_limit():
            return ending
        word = self._training.next(TICK_SECONDS)
        ending = self._heard(word) if word else None
        if ending is None:
            self._keep()
        return ending

    def _heard(self, word: TaskMessage) -> Ending | None:
        match word:
            case Progressed(progress=progress):
                self._progress = progress
            case ReadyToRegister():
                self._register()
            case Succeeded(result=Result()):
                return word
            case Failed(reason=reason):
                return self._ended(reason)
            case Exited(code=code):
                return self._ended(_describe_exit(code))
        return None

    def _register(self) -> None:
        """From here on a version may exist: only now that the document says that the job is still this attempt's."""
        self._progress = Progress(fraction=self._progress.fraction, text="registering")
        retry(lambda: self._lease.progressed(self._progress))
        self._registering = True
        self._ends = self._clock() + REGISTERING_SECONDS
        self._training.go()

    def _ended(self, reason: str) -> Ending:
        return Lost(reason) if self._registering else Failed(reason=reason)

    def _over_limit(self) -> Ending | None:
        if self._clock() > self._ends:
            if self._registering:
                return Lost(f"MLflow did not take the model within {REGISTERING_SECONDS:.0f} s")
            return Failed(reason=f"it took longer than {self._limits.seconds:g} s (OFFPATH_TRAINING_SECONDS)")
        return self._over_memory()

    def _over_memory(self) -> Ending | None:
        allowed = self._limits.memory_mb
        if allowed is None or (taken := self._training.memory_bytes() / MEGABYTE) <= allowed:
            return None
        return self._ended(f"out of memory: it took {taken:.0f} MB of {allowed} (OFFPATH_TRAINING_MEMORY_MB)")

    def _keep(self) -> None:
        """Say that the attempt lives, and how far it is, when that is due. What fails is done the next time."""
        now = self._clock()
        changed = self._progress != self._lease.job.progress
        try:
            if now - self._noted >= (NOTE_SECONDS if changed else self._limits.heartbeat_seconds):
                self._noted = now
                self._lease.progressed(self._progress)
            if now - self._heartbeat_at >= self._limits.heartbeat_seconds:
                self._heartbeat_at = now
                self._heartbeat()
        except Transient:
            return


def _describe_exit(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, most likely because the machine ran out of memory"
    if code < 0:
        return f"its process was ended by the signal {signal.Signals(-code).name}; the worker's log may say more"
    return f"its process ended with the exit code {code} and no word; the worker's log may say more"
