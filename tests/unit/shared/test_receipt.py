"""A receipt is read as it was written, and a newer one's end is passed through."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts import receipt
from offpath.contracts.errors import MalformedEvent, UnknownSchema
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.receipt import Receipt

TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2261, 1, 1)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000, tzinfo=UTC)
)
NUMBERS = st.tuples(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(1, 2**63 - 1))
EVENTS = st.builds(
    lambda number, *told: EventSummary(number[0], number[1], *told),
    NUMBERS | st.just(("", 0)),
    st.text(),
    st.text(),
    st.text(),
    st.none() | TIMES,
)


@given(st.builds(Receipt, st.text(min_size=1), EVENTS))
def test_what_is_written_is_read_back(written: Receipt) -> None:
    line = receipt.dump(written)
    assert b"\n" not in line
    assert receipt.load(line) == written


def test_a_time_is_the_same_moment_in_any_zone() -> None:
    time = datetime(2031, 7, 14, 14, 5, tzinfo=timezone(timedelta(hours=2)))
    line = receipt.dump(Receipt("in_mlflow", EventSummary(ended_at=time)))
    assert json.loads(line)["time"] == "2031-07-14T12:05:00.000Z"
    assert receipt.load(b'{"schema": "receipt/1", "end": "x", "time": "2031-07-14T12:05:00"}').event.ended_at == time


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b'{"schema": "receipt/1"}',
        b'{"schema": "receipt/1", "end": "x", "sequence": "many"}',
        b'{"schema": "receipt/1", "end": "x", "time": "noon"}',
        b'{"schema": "receipt/1", "end": "x", "time": 7}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_receipt_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedEvent):
        receipt.load(line)


def test_a_newer_schema_is_told_from_damage() -> None:
    with pytest.raises(UnknownSchema, match="receipt/2"):
        receipt.load(b'{"schema": "receipt/2", "end": "in_mlflow"}')
