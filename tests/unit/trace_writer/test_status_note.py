"""The writer says in S3 how MLflow is: when that changes, and once a minute."""

from datetime import timedelta

import pytest

from offpath.contracts import writer_status
from offpath.contracts.errors import MalformedEvent, Rejected, Transient, UnknownSchema
from offpath.contracts.writer_status import WriterStatus
from offpath.testing import InMemoryBucket
from tests.support.fakes.trace_writer import NOON
from trace_writer.status_note import StatusNote
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import Failure, Written

AWAY = Failure("1", "", TrackerUnavailable("connection refused"))
STORED = Written(2, [], [])


class Notes:
    """A bucket, and a note over it whose clock the test moves."""

    def __init__(self) -> None:
        self.bucket, self.time = InMemoryBucket(), NOON
        self.note = StatusNote(self.bucket, lambda: self.time)

    def after(self, seconds: float, written: Written) -> None:
        self.time += timedelta(seconds=seconds)
        self.note.note(written)

    @property
    def status(self) -> WriterStatus:
        return writer_status.load(self.bucket.objects["status/writer.json"])


def test_a_change_is_noted_at_once() -> None:
    notes = Notes()
    for seconds, written in [(0, STORED), (1, STORED), (1, Written(1, [], [AWAY])), (1, STORED), (59, STORED)]:
        notes.after(seconds, written)
    assert len(notes.bucket.written) == 3
    notes.after(1, STORED)
    assert len(notes.bucket.written) == 4
    assert notes.status == WriterStatus(notes.time, mlflow_stores=True)


def test_the_reason_says_why_mlflow_stores_nothing() -> None:
    notes = Notes()
    notes.after(0, Written(2, [], [AWAY, AWAY]))
    assert notes.status == WriterStatus(NOON, mlflow_stores=False, reason="connection refused")


def test_a_batch_that_tells_nothing_of_mlflow_is_not_noted() -> None:
    notes = Notes()
    poison, s3 = Failure("1", "", Rejected("HTTP 400")), Failure("2", "", Transient("S3 does not answer"))
    sampled = Written(3, [], [], sampled_out=3)
    for written in (Written(0, [], []), Written(2, [], [poison, s3]), Written(1, [], [], [poison]), sampled):
        notes.after(61, written)
    assert notes.bucket.written == []


def test_a_note_that_failed_is_written_by_the_next() -> None:
    notes = Notes()
    notes.bucket.down = True
    notes.after(0, STORED)
    notes.bucket.down = False
    notes.after(1, STORED)
    assert notes.status.at == notes.time


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": "writer-status/1", "at": 1}', b"\xff"])
def test_what_is_no_status_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedEvent, match="not a status"):
        writer_status.load(content)


def test_a_status_of_a_newer_version_is_told() -> None:
    with pytest.raises(UnknownSchema, match="writer-status/2"):
        writer_status.load(b'{"schema": "writer-status/2"}')
