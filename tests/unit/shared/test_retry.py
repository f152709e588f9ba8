"""Pauses grow and end, and a service that failed is left alone for a while."""

import threading
from dataclasses import dataclass, field
from itertools import islice

import pytest

from offpath.contracts.errors import Poison, Transient
from offpath.retry import Backoff, CircuitBreaker, CircuitOpen, attempts, every, retry
from offpath.testing import ManualClock
from tests.support.waiting import DEADLINE_SECONDS

STEADY = every(1.0)


@dataclass
class Service:
    """A service that fails so often; calls: the times of the calls."""

    clock: ManualClock
    failures: int = 0
    calls: list[float] = field(default_factory=list)

    def call(self) -> str:
        self.calls.append(self.clock.now())
        if len(self.calls) <= self.failures:
            raise Transient(f"failure {len(self.calls)}")
        return "answer"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(start=0.0)


def test_pauses_grow_by_the_factor_up_to_the_longest() -> None:
    pauses = Backoff(first_seconds=0.5, factor=3.0, longest_seconds=10.0).pauses()
    assert list(islice(pauses, 5)) == [0.5, 1.5, 4.5, 10.0, 10.0]


def test_a_policy_of_equal_pauses_ends_with_its_budget(clock: ManualClock) -> None:
    assert list(islice(every(0.25).pauses(), 3)) == [0.25, 0.25, 0.25]
    assert len(list(attempts(every(1.0, budget_seconds=3.0), clock))) == 3


def test_the_first_pause_is_not_longer_than_the_longest() -> None:
    assert next(Backoff(first_seconds=5.0, longest_seconds=2.0).pauses()) == 2.0


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 3.0), (0.5, 3.5), (1.0, 4.0)])
def test_jitter_takes_away_at_most_its_share(chance: float, expected: float) -> None:
    assert next(Backoff(first_seconds=4.0, jitter=0.25).pauses(lambda: chance)) == expected


def test_jitter_of_chance_stays_within_its_bounds() -> None:
    pauses = list(islice(Backoff(first_seconds=1.0, factor=1.0, jitter=0.5).pauses(), 100))
    assert all(0.5 <= pause <= 1.0 for pause in pauses)
    assert len(set(pauses)) > 1


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_there_are_as_many_tries_as_the_policy_has(tries: int, clock: ManualClock) -> None:
    policy = Backoff(first_seconds=1.0, factor=1.0, tries=tries)
    assert list(attempts(policy, clock)) == list(range(1, tries + 1))
    assert clock.pauses == [1.0] * (tries - 1)


def test_no_try_begins_after_the_budget_is_spent(clock: ManualClock) -> None:
    assert len(list(attempts(Backoff(first_seconds=1.0, factor=1.0, budget_seconds=3.0), clock))) == 3
    assert clock.now() == 2.0


def test_time_that_a_try_takes_counts_against_the_budget(clock: ManualClock) -> None:
    tries = attempts(Backoff(first_seconds=1.0, budget_seconds=3.0), clock)
    next(tries)
    clock.advance(2.0)
    assert list(tries) == []
    assert clock.pauses == []


def test_a_budget_of_nothing_allows_one_try(clock: ManualClock) -> None:
    assert list(attempts(Backoff(first_seconds=1.0, budget_seconds=0.0), clock)) == [1]


def test_a_call_that_succeeds_is_made_once(clock: ManualClock) -> None:
    service = Service(clock)
    assert retry(service.call, STEADY, clock) == "answer"
    assert service.calls == [0.0]


def test_a_call_is_made_again_after_each_pause(clock: ManualClock) -> None:
    service = Service(clock, failures=3)
    assert retry(service.call, Backoff(first_seconds=0.5), clock) == "answer"
    assert service.calls == [0.0, 0.5, 1.5, 3.5]


def test_the_last_failure_is_raised(clock: ManualClock) -> None:
    service = Service(clock, failures=9)
    with pytest.raises(Transient, match="failure 3"):
        retry(service.call, Backoff(first_seconds=1.0, tries=3), clock)
    assert len(service.calls) == 3


def test_what_cannot_succeed_is_not_tried_again(clock: ManualClock) -> None:
    def refuse() -> None:
        raise Poison("never")

    with pytest.raises(Poison):
        retry(refuse, STEADY, clock)
    assert clock.pauses == []


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    return CircuitBreaker(clock.now, open_seconds=5.0)


def test_a_closed_circuit_allows_every_call(breaker: CircuitBreaker) -> None:
    assert [breaker.allows_call() for _ in range(3)] == [True] * 3


def test_an_open_circuit_allows_no_call(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    assert not breaker.allows_call()
    clock.advance(4.9)
    assert not breaker.allows_call()


def test_a_half_open_circuit_allows_one_probe(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    clock.advance(5.0)
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]


def test_a_probe_that_succeeds_closes_the_circuit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    clock.advance(5.0)
    assert breaker.allows_call()
    breaker.close()
    assert [breaker.allows_call() for _ in range(3)] == [True] * 3


def test_a_probe_that_fails_opens_the_circuit_anew(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    clock.advance(5.0)
    assert breaker.allows_call()
    clock.advance(1.0)
    breaker.open()
    clock.advance(4.9)
    assert not breaker.allows_call()
    clock.advance(0.1)
    assert breaker.allows_call()


def test_a_probe_that_reports_nothing_is_followed_by_another(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    clock.advance(5.0)
    assert breaker.allows_call()
    clock.advance(5.0)
    assert breaker.allows_call()


def test_a_clock_that_is_set_back_holds_no_call_up(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.open()
    clock.advance(-3600.0)
    assert breaker.allows_call()


def test_work_that_fails_opens_the_circuit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    service = Service(clock, failures=1)
    with pytest.raises(Transient, match="failure 1"):
        breaker.call(service.call)
    with pytest.raises(CircuitOpen, match="left alone for 5 s"):
        breaker.call(service.call)
    assert len(service.calls) == 1


def test_work_that_succeeds_as_a_probe_closes_the_circuit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    service = Service(clock, failures=1)
    with pytest.raises(Transient):
        breaker.call(service.call)
    clock.advance(5.0)
    assert [breaker.call(service.call) for _ in range(3)] == ["answer"] * 3


def test_a_call_within_another_is_answered_too(clock: ManualClock) -> None:
    """As the garbage collector or a signal handler makes one, within any line."""
    inner: list[bool] = []

    def now() -> float:
        if not inner:
            inner.append(True)
            inner[0] = circuit.allows_call()
        return clock.now()

    circuit = CircuitBreaker(now, open_seconds=5.0)
    asking = threading.Thread(target=circuit.open, daemon=True)
    asking.start()
    asking.join(DEADLINE_SECONDS)
    assert not asking.is_alive()
    assert inner == [True]
    assert not circuit.allows_call()


def opens_for(breaker: CircuitBreaker, clock: ManualClock) -> float:
    """Return after how many seconds a circuit that has just opened allows a call, which is a probe."""
    begun = clock.now()
    while not breaker.allows_call():
        clock.advance(0.25)
    return clock.now() - begun


def test_each_failed_probe_opens_the_circuit_for_twice_as_long(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock.now, open_seconds=5.0, first_seconds=0.5)
    waits = []
    for _ in range(6):
        breaker.open()
        waits.append(opens_for(breaker, clock))
    assert waits == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_success_makes_the_next_outage_a_first(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock.now, open_seconds=5.0, first_seconds=0.5)
    for _ in range(3):
        breaker.open()
        opens_for(breaker, clock)
    breaker.close()
    breaker.open()
    assert opens_for(breaker, clock) == 0.5


def test_callers_of_one_failure_open_the_circuit_once(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock.now, open_seconds=5.0, first_seconds=0.5)
    for _ in range(10):
        breaker.open()
    assert opens_for(breaker, clock) == 0.5


def test_a_service_is_left_alone_as_it_asks(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock.now, open_seconds=5.0, first_seconds=0.5)
    breaker.open(at_least_seconds=30.0)
    assert opens_for(breaker, clock) == 30.0


def test_a_call_is_a_probe_until_one_succeeds(clock: ManualClock) -> None:
    breaker = CircuitBreaker(clock.now, open_seconds=5.0)
    assert breaker.is_closed
    breaker.open()
    assert not breaker.is_closed
    breaker.close()
    assert breaker.is_closed
