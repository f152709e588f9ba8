"""Brings events to MLflow, whose endpoint stores all spans of a request or none.

A refused chunk is halved until the event that MLflow refuses stands alone. What may pass later is tried in rounds,
with pauses that grow while nothing passes, until the invocation's time is up: in rounds, so that one experiment's
trouble holds up no other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from offpath.contracts.errors import OffpathError, Rejected
from offpath.retry import Backoff, Clock
from trace_writer.chunk import Chunk, chunks
from trace_writer.decode import Decoded
from trace_writer.tracker import ExperimentRefused, Faulted, Tracker, TrackerUnavailable

# Of MLflow, while nothing passes. Jitter keeps writers from coming back in step.
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=8.0, jitter=0.5)
_FAILURES_A_ROUND = 3
_FAULTS_ALONE = 3

Failures = dict[str, OffpathError]


class Delivery:
    """Delivers events to a tracker, in requests of at most max_post_bytes before compression."""

    def __init__(self, tracker: Tracker, clock: Clock, max_post_bytes: int, backoff: Backoff = BACKOFF) -> None:
        self._tracker = tracker
        self._clock = clock
        self._max_post_bytes = max_post_bytes
        self._backoff = backoff

    def deliver(self, events: Iterable[Decoded], deadline: float) -> Failures:
        """Deliver until the deadline on the clock; errors by the id of the message come back."""
        run = _Run(self._tracker, self._clock, deadline)
        pending = chunks(events, self._max_post_bytes)
        pauses = self._backoff.pauses()
        while pending := run.round(pending):
            if run.progressed:
                pauses = self._backoff.pauses()
            if not run.wait(next(pauses)):
                break
        run.give_up(pending)
        return run.failures


class _Run:
    def __init__(self, tracker: Tracker, clock: Clock, deadline: float) -> None:
        self._tracker = tracker
        self._clock = clock
        self._deadline = deadline
        self._trouble = TrackerUnavailable("there was no time left to ask MLflow")
        self._retry_after = 0.0
        self.failures: Failures = {}
        self.progressed = False

    def round(self, pending: Sequence[Chunk]) -> list[Chunk]:
        """Try the chunks once each; those to try again come back, those that there was no point in trying first."""
        self.progressed = False
        self._retry_after = 0.0
        again: list[Chunk] = []
        failed_in_a_row = 0
        for index, chunk in enumerate(pending):
            if failed_in_a_row == _FAILURES_A_ROUND:
                return [*pending[index:], *again]
            left = self._send(chunk)
            failed_in_a_row = failed_in_a_row + 1 if left else 0
            self._retry_after = max([self._retry_after, *(part.retry_after for part in left)])
            again += left
        return again

    def wait(self, pause: float) -> bool:
        """Wait that long, or as long as MLflow asked for in the round; False, at once, if the deadline comes first.

        What is not tried again has no say: its request to be left alone must not end the batch for the others.
        """
        pause = max(pause, self._retry_after)
        if self._clock.now() + pause >= self._deadline:
            return False
        self._clock.sleep(pause)
        return True

    def give_up(self, pending: Iterable[Chunk]) -> None:
        """Report every event of these chunks, with the trouble of its chunk, or the latest if it was not tried."""
        for chunk in pending:
            self._fail(chunk, chunk.trouble or self._trouble)

    def _send(self, chunk: Chunk) -> list[Chunk]:
        try:
            self._log(chunk)
        except Faulted as error:
            self._trouble = error
            return self._after_fault(chunk, error)
        except TrackerUnavailable as error:
            self._trouble = error
            return [replace(chunk, trouble=error)]
        except ExperimentRefused as error:
            self._fail(chunk, error)
        except Rejected as error:
            return self._after_rejection(chunk, error)
        return []

    def _log(self, chunk: Chunk) -> None:
        left = self._deadline - self._clock.now()
        if left <= 0:
            raise self._trouble
        self._tracker.log(chunk.experiment, chunk.payload, left)
        self.progressed = True

    def _after_rejection(self, chunk: Chunk, error: Rejected) -> list[Chunk]:
        if len(chunk.events) == 1:
            self._fail(chunk, error)
            return []
        first, second = chunk.halves()
        return [*self._send(first), *self._send(second)]

    def _after_fault(self, chunk: Chunk, error: Faulted) -> list[Chunk]:
        if len(chunk.events) > 1:
            return list(replace(chunk, trouble=error).halves())
        if chunk.faults + 1 < _FAULTS_ALONE:
            return [replace(chunk, trouble=error, faults=chunk.faults + 1)]
        self._fail(chunk, error)
        return []

    def _fail(self, chunk: Chunk, error: OffpathError) -> None:
        self.failures |= {event.source.message_id: error for event in chunk.events}
