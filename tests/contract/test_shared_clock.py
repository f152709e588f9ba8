"""The clock in memory and the machine's clock pass time alike."""

import pytest

from offpath.retry import Clock, SystemClock
from offpath.testing import ManualClock


@pytest.fixture(params=[ManualClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_a_clock_does_not_go_back(clock: Clock) -> None:
    times = [clock.now() for _ in range(10)]
    assert times == sorted(times)


def test_sleeping_passes_at_least_the_time_asked_for(clock: Clock) -> None:
    began = clock.now()
    clock.sleep(0.01)
    assert clock.now() - began >= 0.01 - 1e-9


def test_sleeping_for_no_time_is_allowed(clock: Clock) -> None:
    began = clock.now()
    clock.sleep(0.0)
    assert clock.now() >= began
