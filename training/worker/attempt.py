"""Follow one attempt of a job: keep its message from other workers, write its progress, and enforce its limits."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from offpath.contracts.errors import Transient
from offpath.contracts.training_job import Progress, Result
from offpath.retry import retry
from training.worker.backoff import WRITE
from training.worker.job_lease import JobLease
from training.worker.stop_signal import StopSignal
from training.worker.task_protocol import Exited, Failed, Progressed, ReadyToRegister, Succeeded, TaskMessage

# How long one wait for the process's next message takes.
TICK_SECONDS = 0.2
# How often progress is written while it changes.
PROGRESS_SECONDS = 1.5
# Registering has a limit of its own, as MLflow's client retries for minutes.
REGISTERING_SECONDS = 300.0
MEGABYTE = 1_000_000


class RunningTraining(Protocol):
    """A process that trains."""

    def next(self, seconds: float) -> TaskMessage | None:
        """Return what it sends next, or None if it sends nothing for so long."""

    def confirm_registration(self) -> None:
        """Let it register a version."""

    def memory_bytes(self) -> int:
        """Return how much memory it takes."""

    def kill(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one attempt: how long it may take, and how much memory.

    heartbeat_seconds: how often its message is kept from others, and its document written.
    """

    seconds: float
    memory_mb: int | None
    heartbeat_seconds: float


@dataclass(frozen=True, slots=True)
class Supervision:
    """Attempts are held to these limits by this clock, in seconds, and end at this signal."""

    limits: Limits
    stop_signal: StopSignal
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The worker was asked to stop. The attempt does not count."""


@dataclass(frozen=True, slots=True)
class EndedRegistering:
    """The attempt ended while it registered a version. The next one finds what there is of that."""

    reason: str


Ending = Succeeded | Failed | HandedBack | EndedRegistering


class Attempt:
    """Follow a training to its end. heartbeat: keeps the job's message from other workers."""

    def __init__(
        self, lease: JobLease, training: RunningTraining, heartbeat: Callable[[], None], supervision: Supervision
    ) -> None:
        self._lease = lease
        self._training = training
        self._heartbeat = heartbeat
        self._limits = supervision.limits
        self._stop_signal = supervision.stop_signal
        self._clock = supervision.clock
        self._deadline = self._clock() + self._limits.seconds
        self._heartbeat_at = self._written_at = self._clock()
        self._progress = lease.job.progress
        self._registering = False

    def run(self) -> Ending:
        """Return how the attempt ended; its process has ended then, too.

        Raises LeaseLost, or Transient when S3 does not answer for long.
        """
        try:
            while (ending := self._step()) is None:
                pass
            return ending
        finally:
            self._training.kill()

    def _step(self) -> Ending | None:
        if self._stop_signal.received:
            return HandedBack()
        if ending := self._over_limit():
            return ending
        message = self._training.next(TICK_SECONDS)
        ending = self._handle(message) if message else None
        if ending is None:
            self._send_heartbeats()
        return ending

    def _handle(self, message: TaskMessage) -> Ending | None:
        match message:
            case Progressed(progress=progress):
                self._progress = progress
            case ReadyToRegister():
                self._register()
            case Succeeded(result=Result()):
                return message
            case Failed(reason=reason):
                return self._ended(reason)
            case Exited(code=code):
                return self._ended(_describe_exit(code))
        return None

    def _register(self) -> None:
        """Confirm the registration, once the job's document shows that the job is still this attempt's.

        From here on a version of the job may exist.
        """
        self._progress = Progress(fraction=self._progress.fraction, text="registering")
        retry(lambda: self._lease.progressed(self._progress), WRITE)
        self._registering = True
        self._deadline = self._clock() + REGISTERING_SECONDS
        self._training.confirm_registration()

    def _ended(self, reason: str) -> Ending:
        return EndedRegistering(reason) if self._registering else Failed(reason=reason)

    def _over_limit(self) -> Ending | None:
        if self._clock() > self._deadline:
            if self._registering:
                return EndedRegistering(f"MLflow did not take the model within {REGISTERING_SECONDS:.0f} s")
            return Failed(reason=f"it took longer than {self._limits.seconds:g} s (OFFPATH_TRAINING_SECONDS)")
        return self._over_memory()

    def _over_memory(self) -> Ending | None:
        allowed = self._limits.memory_mb
        if allowed is None:
            return None
        taken = self._training.memory_bytes() / MEGABYTE
        if taken <= allowed:
            return None
        return self._ended(f"out of memory: it took {taken:.0f} MB of {allowed} (OFFPATH_TRAINING_MEMORY_MB)")

    def _send_heartbeats(self) -> None:
        """Write the progress, and keep the message from others, when that is due. What fails is done the next time."""
        now = self._clock()
        changed = self._progress != self._lease.job.progress
        try:
            if now - self._written_at >= (PROGRESS_SECONDS if changed else self._limits.heartbeat_seconds):
                self._written_at = now
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
    return f"its process ended with the exit code {code} without saying why; the worker's log may say more"
