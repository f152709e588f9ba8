"""An access log tells which answered requests left no event."""

import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath_cli.audit.access_log import AccessLog
from offpath_cli.errors import CommandError
from trace_writer.audit.period import Period

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)
PERIOD = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=3))


def line(invocation_id: str, minutes: float = 5, **others: str) -> str:
    time = (NOON + timedelta(minutes=minutes)).strftime("%d/%b/%Y:%H:%M:%S +0000")
    fields = {"method": "POST", "path": "/models/iris/predict", "status": "200", "time": time}
    return json.dumps({**fields, "integrationRequestId": invocation_id, **others})


def log(folder: Path, *lines: str, period: Period = PERIOD) -> AccessLog:
    file = folder / "access.log"
    file.write_text("\n".join(lines))
    return AccessLog(file, period)


def missing(found: AccessLog) -> list[str]:
    return [request.invocation_id for request in found.missing()]


def test_requests_without_an_event_are_named(tmp_path: Path) -> None:
    found = log(tmp_path, line("a"), line("b", path="/models/x y/invocations"), line("c", path="/chat"))
    found.see("b")
    found.see("of another period")
    assert (found.count, missing(found)) == (3, ["a", "c"])
    [first, _] = found.missing()
    assert (first.time, first.path, first.status) == (NOON + timedelta(minutes=5), "/models/iris/predict", "200")


@pytest.mark.parametrize(
    "other",
    [
        line("x", status="401"),
        line("-", status="429"),
        line(""),
        line("x", method="GET"),
        line("x", path="/health"),
        line("x", path="/models/iris/train"),
        line("x", minutes=-1),
        line("x", minutes=60),
        "START RequestId: x",
        '{"a": 1}',
        line("x", time="noon"),
        "",
    ],
)
def test_what_leaves_no_event_is_not_expected(tmp_path: Path, other: str) -> None:
    assert missing(log(tmp_path, other, line("a"))) == ["a"]


@pytest.mark.parametrize("status", ["200", "422", "500", "503"])
def test_failed_and_refused_requests_are_expected(tmp_path: Path, status: str) -> None:
    assert missing(log(tmp_path, line("a", status=status))) == ["a"]


def test_young_requests_may_be_on_their_way(tmp_path: Path) -> None:
    period = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(minutes=20), timedelta(minutes=10))
    assert missing(log(tmp_path, line("old", 9), line("young", 11), period=period)) == ["old"]


def test_a_compressed_log_with_times_before_its_lines_is_read(tmp_path: Path) -> None:
    file = tmp_path / "log.gz"
    file.write_bytes(gzip.compress(f"2031-07-14T12:00:00.000Z {line('a')}\n".encode()))
    assert missing(AccessLog(file, PERIOD)) == ["a"]


@given(ids=st.sets(st.integers(0, 500)), seen=st.sets(st.integers(0, 500)))
def test_missing_is_what_was_not_seen(tmp_path_factory: pytest.TempPathFactory, ids: set[int], seen: set[int]) -> None:
    names = {number: str(uuid.UUID(int=number)) for number in ids | seen}
    found = log(tmp_path_factory.mktemp("log"), *(line(names[number]) for number in sorted(ids)))
    for number in seen:
        found.see(names[number])
    assert missing(found) == [names[number] for number in sorted(ids - seen)]


def test_a_log_of_an_older_stack_is_refused(tmp_path: Path) -> None:
    fields = json.loads(line("a"))
    del fields["integrationRequestId"]
    with pytest.raises(CommandError, match="the stack is an older one"):
        log(tmp_path, json.dumps(fields))


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "log.gz"
    for content in (b"\x1f\x8b", gzip.compress(b"x" * 100_000)[:-20]):
        file.write_bytes(content)
        with pytest.raises(CommandError, match=r"log\.gz cannot be read"):
            AccessLog(file, PERIOD)
