"""Lines that one process adds to a file come to a function in another one, and none is lost on the way."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.aws.log_subscription import LINES, LineFile, LogSubscription
from local.stack.last_resort import LastResort
from offpath.contracts import spilled
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from trace_writer.log_parts import subscribed_lines

EVENT = next(spilled.to_log(Message("body", {})))


class Function:
    """A function that fails as often as a test says. lines: of each of its invocations."""

    def __init__(self, failures: int = 0) -> None:
        self.lines: list[list[str]] = []
        self._failures = failures

    def __call__(self, event: dict[str, Any], context: Any) -> None:
        assert context.get_remaining_time_in_millis() > 0
        if self._failures:
            self._failures -= 1
            raise Transient("S3 does not answer")
        self.lines.append(subscribed_lines(event))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last-resort.jsonl"


def run(path: Path, function: Function) -> None:
    LogSubscription(path, "sweep", function, 20).run()


def test_without_a_file_nothing_is_handed_over(path: Path) -> None:
    function = Function()
    run(path, function)
    assert function.lines == []


def test_lines_are_handed_over_once_some_at_a_time(path: Path) -> None:
    function, lines = Function(), [f"é {number}" for number in range(LINES + 3)]
    LineFile(path).add(lines)
    for _ in range(2):
        run(path, function)
    assert function.lines == [lines[:LINES], lines[LINES:]]


def test_what_failed_is_handed_over_again_before_what_came_later(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    function = Function(failures=1)
    LineFile(path).add(["first"])
    run(path, function)
    LineFile(path).add(["second"])
    assert "sweep failed, and is tried again" in caplog.text
    for _ in range(2):
        run(path, function)
    assert function.lines == [["first"], ["second"]]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["add", "run", "fail"]), max_size=20))
def test_each_line_comes_whatever_comes_between(path: Path, steps: list[str]) -> None:
    file, function, added = LineFile(path), Function(), []
    for number, step in enumerate(steps):
        if step == "add":
            added.append(str(number))
            file.add([str(number)])
        else:
            function._failures = int(step == "fail")
            run(path, function)
    function._failures = 0
    for _ in range(2):
        run(path, function)
    assert [line for lines in function.lines for line in lines] == added


def test_lines_that_hold_events_are_kept_alone(path: Path) -> None:
    last_resort = LastResort(path)
    for line in ("INFO: started", EVENT, "offpath_spill is a mark", f"[ERROR] {EVENT}"):
        last_resort.take(line)
    assert path.read_text().splitlines() == [EVENT, f"[ERROR] {EVENT}"]
    assert last_resort.retry() == 0


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    last_resort = LastResort(tmp_path / "gone" / "last-resort.jsonl")
    last_resort.take(EVENT)
    last_resort.take(EVENT)
    assert last_resort.retry() == 2
    (tmp_path / "gone").mkdir()
    last_resort.take("any line")
    assert (tmp_path / "gone" / "last-resort.jsonl").read_text().splitlines() == [EVENT, EVENT]
    assert last_resort.retry() == 0
