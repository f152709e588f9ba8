"""What is in the archive and waits for MLflow is known to every writer."""

from datetime import UTC, datetime, timedelta

import pytest

from offpath.contracts.message import Message
from offpath.testing import InMemoryBucket
from trace_writer.decode import Received
from trace_writer.waiting import WaitingNotes

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)


def message(number: int, receives: int = 2, sent_at: datetime | None = NOON) -> Received:
    return Received(str(number), Message("", {}), receives, sent_at)


def test_a_note_is_found_by_another_writer() -> None:
    bucket = InMemoryBucket()
    WaitingNotes(bucket).note([message(1), message(2, sent_at=NOON + timedelta(hours=1)), message(3, sent_at=None)])

    batch = [message(1), message(2, sent_at=NOON + timedelta(hours=1)), message(3, sent_at=None), message(4)]

    assert WaitingNotes(bucket).holds(batch) == {"1", "2", "3"}
    assert {key.split("/")[1] for key in bucket.objects} == {
        "minute=2031-07-14T12-00",
        "minute=2031-07-14T13-00",
        "minute=unknown",
    }


def test_what_comes_for_the_first_time_costs_no_look() -> None:
    bucket = InMemoryBucket()
    assert WaitingNotes(bucket).holds([message(number, receives=1) for number in range(10)]) == frozenset()
    assert bucket.calls == 0


def test_what_is_known_costs_no_look() -> None:
    bucket = InMemoryBucket()
    notes = WaitingNotes(bucket)
    notes.note([message(1), message(2)])
    calls = bucket.calls
    assert notes.holds([message(1), message(2)]) == {"1", "2"}
    assert bucket.calls == calls


def test_a_note_is_read_once() -> None:
    bucket = InMemoryBucket()
    WaitingNotes(bucket).note([message(1)])
    notes = WaitingNotes(bucket)
    notes.holds([message(1), message(2)])
    calls = bucket.calls
    notes.holds([message(2)])
    assert bucket.calls == calls + 1


def test_without_a_bucket_nothing_is_known_and_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    bucket = InMemoryBucket()
    notes = WaitingNotes(bucket)
    bucket.down = True
    notes.note([message(1)])
    assert notes.holds([message(1)]) == frozenset()
    assert "1 archived messages are not noted, and will be archived again: writing s3://archive/waiting/" in caplog.text


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"message_ids": 7}'])
def test_a_note_that_cannot_be_read_is_passed_over(content: bytes) -> None:
    bucket = InMemoryBucket(objects={"waiting/minute=2031-07-14T12-00/x.json": content})
    WaitingNotes(bucket).note([message(1)])
    assert WaitingNotes(bucket).holds([message(1), message(2)]) == {"1"}


def test_notes_in_memory_are_bounded() -> None:
    bucket = InMemoryBucket()
    notes = WaitingNotes(bucket)
    for number in range(2_000):
        notes.note([message(number)])
    calls = bucket.calls
    assert notes.holds([message(0), message(1_999)]) == {"0", "1999"}
    assert bucket.calls > calls
