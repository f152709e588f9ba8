"""The archive: every event, in S3, as OTLP JSON Lines (the OpenTelemetry file format), one object a batch."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.names import archive_hour_prefix
from offpath.contracts.receipt import Receipt
from trace_writer.decode import Received
from trace_writer.receipts import BucketReceipts
from trace_writer.waiting import NoteBucket, WaitingNotes

# Level 9 makes objects little smaller, in twice the time.
_GZIP_LEVEL = 6


class ObjectStore(NoteBucket, Protocol):
    """Keeps objects by key."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Store content under the key; the bucket's name comes back. Raises Transient, or ObjectMissing: no bucket."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class BucketArchive:
    """Writes a batch to `archive/v1/date=YYYY-MM-DD/hour=HH/<SHA-256 of the lines>.jsonl.gz`, by its time in UTC."""

    def __init__(self, objects: ObjectStore, now: Callable[[], datetime] = utc_now) -> None:
        self._objects = objects
        self._now = now
        self._notes = WaitingNotes(objects)
        self._receipts = BucketReceipts(objects, now)

    def store(self, lines: Iterable[bytes]) -> str | None:
        """Write the lines as one object, and return its key, or None if there are none. Raises Transient.

        Each line is compressed as it comes, so that the object alone is held, and all are taken before it is written.
        """
        content, digest = io.BytesIO(), hashlib.sha256()
        with gzip.GzipFile(filename="", fileobj=content, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0) as compressed:
            for line in lines:
                for part in (line, b"\n"):
                    compressed.write(part)
                    digest.update(part)
            size = compressed.tell()
        if not size:
            return None
        key = f"{archive_hour_prefix(self._now().astimezone(UTC))}{digest.hexdigest()}.jsonl.gz"
        try:
            self._objects.put(key, content.getvalue(), "application/gzip")
        except ObjectMissing as error:
            raise Transient(f"the archive's bucket does not exist: {error}") from error
        return key

    def holds(self, batch: Iterable[Received]) -> frozenset[str]:
        """Return the ids of those messages that are known to be in the archive already."""
        return self._notes.holds(batch)

    def note(self, waiting: Sequence[Received], summaries: Mapping[str, EventSummary]) -> None:
        """Note that these messages are in the archive, and stay on the queue. summaries: events by message id."""
        self._notes.note(waiting, summaries)

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Keep how these events ended. Raises Transient."""
        self._receipts.store(receipts)
