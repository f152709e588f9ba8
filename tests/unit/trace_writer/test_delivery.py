"""Traces that MLflow refuses are found, and those that it cannot take now are tried again while there is time."""

from collections.abc import Callable, Sequence
from itertools import islice

import pytest

from offpath.contracts.errors import Rejected
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import STEADY, Bench, FakeTracker, claims, down
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import BACKOFF, PATIENCE_SECONDS, Failures
from trace_writer.tracker import ExperimentRefused, Faulted, TrackerUnavailable

Trouble = Callable[[str, set[str]], None]


def deliver(
    tracker: FakeTracker,
    events: Sequence[TraceEvent],
    clock: ManualClock | None = None,
    max_post_bytes: int = 8_000_000,
) -> Failures:
    """Deliver with a minute's time; message ids are the positions."""
    clock = clock or ManualClock()
    members = [decoded(str(index), event, claims()) for index, event in enumerate(events)]
    return Delivery(tracker, clock, max_post_bytes, STEADY).deliver(members, clock.now() + 60)


def only(trace_ids: set[str], error: Exception) -> Trouble:
    """Return what raises the error whenever one of these traces is in the request."""

    def trouble(experiment: str, requested: set[str]) -> None:
        if requested & trace_ids:
            raise error

    return trouble


def times(count: int, error: Exception) -> Trouble:
    """Return what raises the error for that many requests."""
    left = iter([error] * count)

    def trouble(experiment: str, requested: set[str]) -> None:
        for pending in left:
            raise pending

    return trouble


@pytest.mark.parametrize("poisoned", [[0], [99], [37], [3, 4], [0, 50, 99]], ids=str)
@pytest.mark.parametrize("kind", [Rejected, Faulted])
def test_events_that_mlflow_fails_on_are_isolated(poisoned: list[int], kind: type[Exception]) -> None:
    events = [prediction_event() for _ in range(100)]
    bad = {events[index].trace_id for index in poisoned}
    tracker = FakeTracker(only(bad, kind("HTTP 400 or 500")))

    failures = deliver(tracker, events)

    assert set(failures) == {str(index) for index in poisoned}
    assert all(isinstance(error, kind) for error in failures.values())
    assert tracker.stored == {event.trace_id for event in events} - bad


@pytest.mark.parametrize("kind", [Rejected, Faulted])
def test_when_mlflow_chokes_on_every_event_every_one_is_reported(kind: type[Exception]) -> None:
    events = [prediction_event() for _ in range(20)]
    tracker = FakeTracker(only({event.trace_id for event in events}, kind("HTTP 400 or 500")))

    assert set(deliver(tracker, events)) == {str(index) for index in range(20)}


def test_a_refused_experiment_is_not_searched_and_stops_no_other() -> None:
    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if experiment == "refused":
            raise ExperimentRefused("HTTP 400 no such name")

    tracker = FakeTracker(trouble)
    events = [prediction_event("refused") for _ in range(8)] + [prediction_event()]

    failures = deliver(tracker, events)

    assert set(failures) == {str(index) for index in range(8)}
    assert isinstance(failures["0"], ExperimentRefused)
    assert len(tracker.requests) == 2


def test_pauses_double_to_a_limit_with_jitter() -> None:
    assert list(islice(BACKOFF.pauses(lambda: 1.0), 7)) == [0.5, 1, 2, 4, 8, 8, 8]
    assert list(islice(BACKOFF.pauses(lambda: 0.0), 3)) == [0.25, 0.5, 1]


def test_trouble_that_passes_is_waited_out_with_growing_pauses() -> None:
    clock, tracker = ManualClock(), FakeTracker(times(3, TrackerUnavailable("connection refused")))

    assert deliver(tracker, [prediction_event()], clock) == {}
    assert clock.pauses == [0.5, 1.0, 2.0]


def test_mlflow_is_left_alone_for_as_long_as_it_asks() -> None:
    clock, tracker = ManualClock(), FakeTracker(times(1, TrackerUnavailable("HTTP 429", retry_after=7.0)))

    assert deliver(tracker, [prediction_event()], clock) == {}
    assert clock.pauses == [7.0]


def test_retry_after_beyond_the_deadline_ends_at_once() -> None:
    clock, tracker = ManualClock(), FakeTracker(times(1, TrackerUnavailable("HTTP 429", retry_after=3600.0)))

    assert set(deliver(tracker, [prediction_event()], clock)) == {"0"}
    assert clock.pauses == []


def test_retry_after_counts_only_for_what_is_retried() -> None:
    clock, asked = ManualClock(), iter([0.0, 0.0, 3600.0])
    waiting = iter([TrackerUnavailable("HTTP 403")] * 3)

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if experiment == "faulty":
            raise Faulted("HTTP 503", next(asked))
        for pending in waiting:
            raise pending

    tracker = FakeTracker(trouble)

    failures = deliver(tracker, [prediction_event("waiting"), prediction_event("faulty")], clock)

    assert set(failures) == {"1"}
    assert set(tracker.traces) == {"waiting"}
    assert clock.pauses == [0.5, 1.0, 2.0]


def test_the_longest_that_was_asked_for_in_a_round_counts() -> None:
    clock = ManualClock()
    first = {"a": TrackerUnavailable("HTTP 429", retry_after=7.0), "b": TrackerUnavailable("HTTP 403")}

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if error := first.pop(experiment, None):
            raise error

    assert deliver(FakeTracker(trouble), [prediction_event("a"), prediction_event("b")], clock) == {}
    assert clock.pauses == [7.0]


def test_absent_mlflow_is_retried_for_a_bounded_time() -> None:
    clock, tracker = ManualClock(), FakeTracker(down)
    begun = clock.now()
    events = [prediction_event(f"offpath/{index}") for index in range(10)]

    failures = deliver(tracker, events, clock)

    assert set(failures) == {str(index) for index in range(10)}
    assert len(clock.pauses) > 1
    assert clock.now() <= begun + PATIENCE_SECONDS
    assert len(tracker.requests) == 3 * (len(clock.pauses) + 1)


def test_one_experiments_trouble_holds_up_no_other() -> None:
    denied = {f"offpath/{index}" for index in range(5)}

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if experiment in denied:
            raise TrackerUnavailable(f"HTTP 403 for {experiment}")

    tracker = FakeTracker(trouble)
    events = [prediction_event(f"offpath/{index}") for index in range(9)]

    failures = deliver(tracker, events)

    assert {key: str(error) for key, error in failures.items()} == {
        str(index): f"HTTP 403 for offpath/{index}" for index in range(5)
    }
    assert set(tracker.traces) == {"offpath/5", "offpath/6", "offpath/7", "offpath/8"}


def test_each_request_gets_no_more_than_the_time_left() -> None:
    clock, tracker = ManualClock(), FakeTracker(times(1, TrackerUnavailable("connection refused")))

    deliver(tracker, [prediction_event()], clock)

    assert tracker.timeouts == [60.0, 59.5]


def test_with_no_time_left_mlflow_is_not_asked() -> None:
    bench = Bench()
    event = decoded("1", prediction_event(), bench.claims)

    failures = Delivery(bench.tracker, bench.clock, 1000).deliver([event], bench.clock.now())

    assert "no time left" in str(failures["1"])
    assert bench.tracker.requests == []


def test_large_requests_are_divided() -> None:
    tracker = FakeTracker()
    small = [prediction_event() for _ in range(4)]
    size = len(decoded("1", small[0], claims()).payload)
    large = prediction_event(attributes={"text": "x" * 3 * size})

    failures = deliver(tracker, [*small[:3], large, small[3]], max_post_bytes=2 * size)

    assert failures == {}
    assert [len(trace_ids) for trace_ids in tracker.requests] == [2, 1, 1, 1]


def test_two_messages_of_one_trace_that_overlap_are_both_delivered() -> None:
    event = prediction_event()
    spans_twice = TraceEvent(event.trace_id, event.experiment, event.body.replace('"validate"', '"validated"'))
    tracker = FakeTracker()

    assert deliver(tracker, [event, spans_twice]) == {}
    assert tracker.stored == {event.trace_id}


def test_nothing_to_deliver_is_nothing_to_do() -> None:
    assert deliver(FakeTracker(), []) == {}
