"""An MLflow that is away costs each batch one probe, and a slow one gets smaller and fewer requests."""

from collections.abc import Callable

import pytest

from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import STEADY, FakeTracker, claims
from trace_writer.delivery import Delivery
from trace_writer.pace import MAX_EVENTS, TARGET_SECONDS, Pace
from trace_writer.tracker import NEVER, Faulted, TrackerUnavailable

EVENTS = [decoded(str(index), prediction_event(), claims()) for index in range(200)]


class Mlflow:
    """An MLflow that takes so long, and is away until a time on the clock."""

    def __init__(self, seconds: Callable[[int], float] = lambda events: 0.0, away_until: float = 0.0) -> None:
        self.clock = ManualClock()
        self.tracker = FakeTracker(self._ask)
        self.delivery = Delivery(self.tracker, self.clock, 8_000_000, STEADY)
        self.seconds = seconds
        self.away_until = self.clock.now() + away_until
        self.error: TrackerUnavailable = TrackerUnavailable("connection refused")

    def _ask(self, experiment: str, trace_ids: set[str]) -> None:
        self.clock.advance(self.seconds(len(trace_ids)))
        if self.clock.now() < self.away_until:
            raise self.error

    def deliver(self, count: int = 10, seconds: float = 58.0) -> tuple[int, float, int]:
        """Deliver so many events; return how many failed, the seconds that it took, and how many requests."""
        begun, asked = self.clock.now(), self.asked
        failures = self.delivery.deliver(EVENTS[:count], begun + seconds)
        return len(failures), self.clock.now() - begun, self.asked - asked

    @property
    def asked(self) -> int:
        return len(self.tracker.requests) + self.tracker.probes


def test_batches_of_an_outage_cost_one_probe_at_most() -> None:
    mlflow = Mlflow(away_until=3600)
    mlflow.deliver()
    for _ in range(50):
        mlflow.clock.advance(10)
        failed, seconds, requests = mlflow.deliver()
        assert (failed, seconds) == (10, 0)
        assert requests <= 1


def test_a_hanging_mlflow_costs_a_short_probe() -> None:
    mlflow = Mlflow(away_until=3600)
    mlflow.error = Faulted("no answer")
    mlflow.deliver()
    mlflow.clock.advance(100)
    mlflow.deliver()
    assert mlflow.tracker.probe_timeouts[-1] <= 5


def test_the_batch_after_an_outage_is_delivered() -> None:
    mlflow = Mlflow(away_until=30)
    assert mlflow.deliver()[0] == 10
    mlflow.clock.advance(100)
    assert mlflow.deliver()[0] == 0
    assert mlflow.deliver()[::2] == (0, 1)


@pytest.mark.parametrize("seconds", [20.0, 120.0])
def test_mlflow_is_not_asked_before_it_wants_to_be(seconds: float) -> None:
    mlflow = Mlflow(away_until=seconds)
    mlflow.error = TrackerUnavailable("HTTP 429", retry_after=seconds)
    mlflow.deliver()
    asked = mlflow.asked
    for _ in range(9):
        mlflow.clock.advance(seconds / 10)
        mlflow.deliver()
    assert mlflow.asked == asked
    mlflow.clock.advance(seconds / 10)
    assert mlflow.deliver()[0] == 0


def test_a_server_that_never_takes_spans_is_asked_again_later() -> None:
    mlflow = Mlflow(away_until=10)
    mlflow.error = TrackerUnavailable("HTTP 501", retry_after=NEVER)
    assert mlflow.deliver() == (10, 0, 1)
    mlflow.clock.advance(60)
    assert mlflow.deliver()[0] == 0


def test_one_denied_experiment_opens_no_circuit() -> None:
    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if experiment == "denied":
            raise TrackerUnavailable("HTTP 403")

    tracker, clock = FakeTracker(trouble), ManualClock()
    delivery = Delivery(tracker, clock, 8_000_000, STEADY)
    denied = decoded("denied", prediction_event("denied"), claims())

    assert set(delivery.deliver([denied], clock.now() + 58)) == {"denied"}
    assert delivery.deliver(EVENTS[:3], clock.now() + 58) == {}


def test_a_slow_mlflow_gets_smaller_requests() -> None:
    mlflow = Mlflow(seconds=lambda events: 0.1 * events)
    mlflow.deliver(200, seconds=600)
    assert len(mlflow.tracker.requests[0]) == 200
    mlflow.deliver(200, seconds=600)
    mlflow.deliver(200, seconds=600)
    assert max(len(trace_ids) for trace_ids in mlflow.tracker.requests[-3:]) <= 100


def test_a_slow_mlflow_gets_fewer_requests() -> None:
    mlflow = Mlflow(seconds=lambda events: 8.0)
    mlflow.deliver(20, seconds=600)
    mlflow.deliver(20, seconds=600)
    assert mlflow.clock.pauses
    assert set(mlflow.clock.pauses) == {3.0}


def test_pace_falls_with_slow_requests_and_comes_back() -> None:
    pace = Pace(8_000_000)
    assert (pace.max_bytes, pace.max_events) == (8_000_000, MAX_EVENTS)
    for _ in range(20):
        pace.note(TARGET_SECONDS * 2, pace.max_events)
    assert 1 <= pace.max_events < 10
    assert pace.pause_seconds == TARGET_SECONDS
    for _ in range(20):
        pace.note(0.1, 1)
    assert (pace.max_bytes, pace.max_events, pace.pause_seconds) == (8_000_000, MAX_EVENTS, 0.0)
