"""MLflow's refusal is a verdict on an event only if it takes something else, before or after it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import Poison, Rejected, Transient
from offpath.testing import InMemoryBucket, ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import STEADY, FakeTracker, claims
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures
from trace_writer.probe import PROBE_TRACE_ID
from trace_writer.tracker import InDoubt
from trace_writer.verdicts import Verdicts

EVENTS = [decoded(str(index), prediction_event(), claims()) for index in range(60)]
IDS = [event.source.trace_id for event in EVENTS]


class Database:
    """Trouble that begins with the request of a number, and in which MLflow answers 400 whatever it is sent."""

    def __init__(self, bad: set[str], fails_from: int | None, fails_to: int | None = None) -> None:
        self.bad = bad
        self._requests = 0
        self._fails_from = fails_from
        self._fails_to = fails_to

    def __call__(self, experiment: str, trace_ids: set[str]) -> None:
        number, self._requests = self._requests, self._requests + 1
        if self._fails_from is not None and number >= self._fails_from and not self._is_over(number):
            raise Rejected("HTTP 400 BAD_REQUEST (psycopg2.errors.ReadOnlySqlTransaction)")
        if trace_ids & self.bad:
            raise Rejected("HTTP 400 no such span")

    def _is_over(self, number: int) -> bool:
        return self._fails_to is not None and number >= self._fails_to


def deliver(tracker: FakeTracker, count: int) -> Failures:
    clock = ManualClock()
    return Delivery(tracker, clock, 8_000_000, STEADY).deliver(EVENTS[:count], clock.now() + 60)


def judged(failures: Failures) -> set[str]:
    return {message_id for message_id, error in failures.items() if isinstance(error, Poison)}


@given(count=st.integers(1, 60), fails_from=st.integers(0, 12), bad=st.sets(st.integers(0, 59), max_size=5))
def test_good_events_are_never_judged_in_an_outage(count: int, fails_from: int, bad: set[int]) -> None:
    tracker = FakeTracker(Database({IDS[index] for index in bad}, fails_from))

    failures = deliver(tracker, count)

    assert judged(failures) <= {str(index) for index in bad}
    assert {str(index) for index in range(count) if IDS[index] not in tracker.stored} == failures.keys()


@given(count=st.integers(1, 60), bad=st.sets(st.integers(0, 59)))
def test_bad_events_are_judged_while_mlflow_takes_others(count: int, bad: set[int]) -> None:
    tracker = FakeTracker(Database({IDS[index] for index in bad}, None))
    assert judged(deliver(tracker, count)) == {str(index) for index in bad if index < count}


def test_a_batch_of_bad_events_is_judged_by_probe() -> None:
    tracker = FakeTracker(Database(set(IDS), None))
    failures = deliver(tracker, 20)
    assert (len(judged(failures)), tracker.probes > 0, tracker.traces) == (20, True, {})


def test_good_batches_cost_no_probe() -> None:
    tracker = FakeTracker()
    assert (deliver(tracker, 60), tracker.probes) == ({}, 0)


def test_an_outage_of_refusals_costs_few_requests() -> None:
    tracker = FakeTracker(Database(set(), 0))
    failures = deliver(tracker, 60)
    assert {type(error) for error in failures.values()} == {InDoubt}
    assert len(tracker.requests) + tracker.probes < 20


def test_an_event_refused_in_the_last_second_is_kept() -> None:
    clock = ManualClock()

    def late(experiment: str, trace_ids: set[str]) -> None:
        clock.advance(60)
        raise Rejected("HTTP 400")

    failures = Delivery(FakeTracker(late), clock, 8_000_000, STEADY).deliver(EVENTS[:1], clock.now() + 60)

    assert isinstance(failures["0"], InDoubt)


def test_the_probe_is_a_trace_of_its_own() -> None:
    assert PROBE_TRACE_ID.hex() not in IDS
    assert len(PROBE_TRACE_ID) == 16


def test_verdicts_are_counted_over_invocations() -> None:
    bucket = InMemoryBucket()
    numbers = [Verdicts(bucket).add("id/1", "HTTP 400") for _ in range(3)] + [Verdicts(bucket).add("2", "")]
    assert numbers == [1, 2, 3, 1]
    assert list(bucket.objects) == ["verdicts/id-1.json", "verdicts/2.json"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"count": "many"}', b"{}"])
def test_a_count_that_cannot_be_read_begins_anew(content: bytes) -> None:
    bucket = InMemoryBucket(objects={"verdicts/1.json": content})
    assert Verdicts(bucket).add("1", "HTTP 400") == 1


def test_a_count_that_cannot_be_kept_is_not_made() -> None:
    bucket = InMemoryBucket()
    bucket.down = True
    with pytest.raises(Transient):
        Verdicts(bucket).add("1", "HTTP 400")


def test_outages_and_single_answers_dead_letter_nothing() -> None:
    """An hour of refusals, with answers in between: of a hundred good events none is judged."""
    chance = random.Random(7)
    for _ in range(30):
        begin = chance.randrange(40)
        tracker = FakeTracker(Database(set(), begin, begin + 1))
        assert judged(deliver(tracker, 60)) == set()
