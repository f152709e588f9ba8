"""A function is called on a schedule, whatever it raises."""

from typing import Any

import pytest

from local.aws.poller import Poller
from local.aws.schedule import Schedule
from local.settings import PollerSettings
from offpath.contracts.errors import Transient
from offpath.testing import InMemoryQueue, ManualClock


class Function:
    """A function that fails as often as a test says, and stops a poller after so many calls."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[int] = []
        self.failures = failures

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        self.calls.append(context.get_remaining_time_in_millis())
        if len(self.calls) <= self.failures:
            raise Transient("S3 does not answer")
        return {}


def test_it_is_called_at_once_and_then_in_time() -> None:
    function, clock = Function(), ManualClock()
    schedule = Schedule("sweep", function, seconds=30, timeout_seconds=20, now=clock.now)
    calls = []
    for _ in range(7):
        schedule.run()
        calls.append(len(function.calls))
        clock.advance(10)
    assert calls == [1, 1, 1, 2, 2, 2, 3]
    assert all(18_000 < milliseconds <= 20_000 for milliseconds in function.calls)


def test_what_it_raises_is_logged_and_it_is_called_again(caplog: pytest.LogCaptureFixture) -> None:
    function, clock = Function(failures=1), ManualClock()
    schedule = Schedule("sweep", function, seconds=30, timeout_seconds=20, now=clock.now)
    schedule.run()
    clock.advance(30)
    schedule.run()
    assert len(function.calls) == 2
    assert "sweep failed, and is tried again in 30 s" in caplog.text


def test_a_poller_does_it_between_polls() -> None:
    polled: list[str] = []

    def between() -> None:
        polled.append("between")
        if len(polled) == 3:
            poller.stop()

    settings = PollerSettings(queue_url="q", batch_window_seconds=0.0)
    poller = Poller(InMemoryQueue(), lambda event, context: {}, settings, between)
    poller.run()
    assert polled == ["between"] * 3
