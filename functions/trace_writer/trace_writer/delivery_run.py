"""Brings the events of one batch to MLflow, whose endpoint stores all spans of a request or none.

A refused chunk is halved until the event that MLflow refuses stands alone. That is a verdict on the event only if
MLflow takes something else afterwards, a probe at least: it refuses everything alike while its database is in trouble.
What may pass later is tried in rounds, with pauses that grow while nothing passes: in rounds, so that one experiment's
trouble holds up no other.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from offpath.contracts.errors import OffpathError, Rejected
from offpath.retry import Backoff, Clock
from trace_writer.chunk import Chunk
from trace_writer.memory import without_frames
from trace_writer.pace import Pace
from trace_writer.probe import PROBE_EXPERIMENT, probe_payload
from trace_writer.tracker import ExperimentRefused, Faulted, InDoubt, Tracker, TrackerUnavailable

# Of MLflow, while nothing passes. Jitter keeps writers from coming back in step.
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=8.0, jitter=0.5)
# How long it is waited for while nothing passes at all.
PATIENCE_SECONDS = 15.0
PROBE_SECONDS = 5.0
_FAILURES_A_ROUND = 3
_FAULTS_ALONE = 3
# A search for one refused event among a hundred has seven refusals in a row.
_REFUSALS_A_PROBE = 8
_SHOWN_CHARACTERS = 80

Failures = dict[str, OffpathError]


class DeliveryRun:
    """Delivers chunks until a deadline on the clock.

    failures: errors by the id of the message. ever_passed: whether MLflow took anything. outage: the latest trouble.
    """

    def __init__(self, tracker: Tracker, clock: Clock, deadline: float, pace: Pace, backoff: Backoff = BACKOFF) -> None:
        self._tracker = tracker
        self._clock = clock
        self._deadline = deadline
        self._pace = pace
        self._backoff = backoff
        self._suspects: Failures = {}
        self._refusals = 0
        self._doubt: TrackerUnavailable | None = None
        self._retry_after = 0.0
        self._progressed = False
        self.failures: Failures = {}
        self.ever_passed = False
        self.outage: TrackerUnavailable | None = None

    def deliver(self, pending: Sequence[Chunk]) -> None:
        """Deliver what passes; everything else is among the failures afterwards."""
        pauses, stalled_at = self._backoff.pauses(), self._clock.now()
        while pending := self._round(pending):
            if self._progressed:
                pauses, stalled_at = self._backoff.pauses(), self._clock.now()
            if not self._wait(next(pauses), stalled_at):
                break
        for chunk in pending:
            self._fail(chunk, chunk.trouble or self._trouble)
        self._settle()

    def probe(self) -> TrackerUnavailable | None:
        """Ask MLflow to store a trace of the writer's own, and return why it did not, if it did not."""
        seconds = min(self._left(), PROBE_SECONDS)
        if seconds <= 0:
            return self._trouble
        try:
            self._tracker.log(PROBE_EXPERIMENT, probe_payload(time.time_ns()), seconds)
        except TrackerUnavailable as error:
            return without_frames(error)
        except Rejected as error:
            return InDoubt(f"MLflow refuses a probe, too: {error}")
        self._note_success()
        return None

    @property
    def _trouble(self) -> TrackerUnavailable:
        return self.outage or TrackerUnavailable("there was no time left to ask MLflow")

    def _left(self) -> float:
        return self._deadline - self._clock.now()

    def _round(self, pending: Sequence[Chunk]) -> list[Chunk]:
        """Try the chunks once each; those to try again come back, those that there was no point in trying first."""
        self._progressed, self._retry_after, self._doubt, self._refusals = False, 0.0, None, 0
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

    def _wait(self, pause: float, stalled_at: float) -> bool:
        """Wait that long, or as long as MLflow asked for in the round; False, at once, if there is no point in it.

        What is not tried again has no say: its request to be left alone must not end the batch for the others.
        """
        pause = max(pause, self._retry_after)
        ends = self._clock.now() + pause
        if ends >= self._deadline or ends - stalled_at > PATIENCE_SECONDS:
            return False
        self._clock.sleep(pause)
        return True

    def _send(self, chunk: Chunk) -> list[Chunk]:
        if self._doubt:
            return [replace(chunk, trouble=self._doubt)]
        if len(chunk.events) > self._pace.max_events:
            return self._send_halves(chunk)
        try:
            self._log(chunk)
        except Faulted as error:
            self.outage = without_frames(error)
            return self._after_fault(chunk, error)
        except TrackerUnavailable as error:
            self.outage = without_frames(error)
            return [replace(chunk, trouble=error)]
        except Rejected as error:
            return self._after_refusal(chunk, without_frames(error))
        return []

    def _send_halves(self, chunk: Chunk) -> list[Chunk]:
        first, second = chunk.halves()
        return [*self._send(first), *self._send(second)]

    def _log(self, chunk: Chunk) -> None:
        self._give_way()
        left = self._left()
        if left <= 0:
            raise self._trouble
        begun = self._clock.now()
        try:
            self._tracker.log(chunk.experiment, chunk.payload, left)
        finally:
            self._pace.note(self._clock.now() - begun, len(chunk.events))
        self._note_success()

    def _give_way(self) -> None:
        """After a request that took long, leave MLflow to others for a while, if there is time for it."""
        pause = self._pace.pause_seconds
        if pause and pause < self._left():
            self._clock.sleep(pause)

    def _note_success(self) -> None:
        """What was refused before was refused for itself: MLflow takes others."""
        self._progressed = self.ever_passed = True
        self._refusals = 0
        self.failures |= self._suspects
        self._suspects = {}

    def _after_refusal(self, chunk: Chunk, error: Rejected) -> list[Chunk]:
        self._refusals += 1
        if len(chunk.events) == 1 or isinstance(error, ExperimentRefused):
            self._suspects |= {event.source.message_id: error for event in chunk.events}
            return []
        if self._refusals % _REFUSALS_A_PROBE == 1 and (self._refusals > 1 or not self.ever_passed):
            self._doubt = self.outage = self.probe()
        if self._doubt:
            return [replace(chunk, trouble=self._doubt)]
        return self._send_halves(chunk)

    def _after_fault(self, chunk: Chunk, error: Faulted) -> list[Chunk]:
        if len(chunk.events) > 1:
            return list(replace(chunk, trouble=error).halves())
        if chunk.faults + 1 < _FAULTS_ALONE:
            return [replace(chunk, trouble=error, faults=chunk.faults + 1)]
        self._fail(chunk, error)
        return []

    def _settle(self) -> None:
        """Decide on what was refused when nothing has passed since: the probe tells whether that was a verdict."""
        if not self._suspects:
            return
        error = self.probe()
        if error is not None:
            self.outage = error
            self.failures |= {
                message_id: InDoubt(
                    f"{refusal}; but then it took nothing else either: {str(error)[:_SHOWN_CHARACTERS]}"
                )
                for message_id, refusal in self._suspects.items()
            }

    def _fail(self, chunk: Chunk, error: OffpathError) -> None:
        self.failures |= {event.source.message_id: error for event in chunk.events}
