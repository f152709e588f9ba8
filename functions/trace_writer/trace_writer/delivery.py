"""Brings events to MLflow, and leaves it alone while it is away: then a batch costs one probe, and not its time."""

from collections.abc import Iterable

from offpath.retry import Backoff, CircuitBreaker, Clock
from trace_writer.chunk import chunks
from trace_writer.decode import Decoded
from trace_writer.delivery_run import BACKOFF, DeliveryRun, Failures
from trace_writer.pace import Pace
from trace_writer.tracker import NEVER, Tracker, TrackerUnavailable

# How long MLflow is left alone after an outage was found, at first and at most.
FIRST_CIRCUIT_SECONDS = 2.0
CIRCUIT_SECONDS = 60.0
# The most that is made of its own wish to be left alone.
LONGEST_REST_SECONDS = 900.0


class Delivery:
    """Delivers events to a tracker, in requests of at most max_post_bytes before compression.

    What it learns of the tracker, that it is away or slow, holds for the batches that follow.
    """

    def __init__(self, tracker: Tracker, clock: Clock, max_post_bytes: int, backoff: Backoff = BACKOFF) -> None:
        self._tracker = tracker
        self._clock = clock
        self._backoff = backoff
        self._pace = Pace(max_post_bytes)
        self._circuit = CircuitBreaker(clock.now, CIRCUIT_SECONDS, FIRST_CIRCUIT_SECONDS)
        self._outage = TrackerUnavailable("MLflow was not available")

    def deliver(self, events: Iterable[Decoded], deadline: float) -> Failures:
        """Deliver until the deadline on the clock; errors by the id of the message come back."""
        waiting = list(events)
        if not waiting:
            return {}
        run = DeliveryRun(self._tracker, self._clock, deadline, self._pace, self._backoff)
        if self._is_away(run):
            reason = TrackerUnavailable(f"MLflow is left alone for a while, as it was not available: {self._outage}")
            return {event.source.message_id: reason for event in waiting}
        run.deliver(chunks(waiting, self._pace.max_bytes, self._pace.max_events))
        self._learn(run)
        return run.failures

    def has_time(self, deadline: float) -> bool:
        """Return whether the deadline on the clock is still to come."""
        return self._clock.now() < deadline

    def _is_away(self, run: DeliveryRun) -> bool:
        """Tell whether not to ask MLflow. After an outage, one batch now and then is preceded by a probe."""
        if not self._circuit.allows_call():
            return True
        return not self._circuit.is_closed and not self._probed(run)

    def _learn(self, run: DeliveryRun) -> None:
        """Note an outage if nothing passed, and a probe does not either: one experiment's trouble holds up no other."""
        if run.outage is None or run.ever_passed:
            return
        if run.outage.retry_after:  # it has said so itself
            self._open(run.outage)
        else:
            self._probed(run)

    def _probed(self, run: DeliveryRun) -> bool:
        error = run.probe()
        if error is None:
            self._circuit.close()
        else:
            self._open(error)
        return error is None

    def _open(self, error: TrackerUnavailable) -> None:
        self._outage = error
        self._circuit.open(0.0 if error.retry_after == NEVER else min(error.retry_after, LONGEST_REST_SECONDS))
