"""Read events from the archive, object by object and line by line."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from offpath.contracts.errors import MalformedEvent, ObjectMissing
from offpath.contracts.names import archive_hour_prefix
from offpath_cli.event_facts import event_facts
from offpath_cli.replay.event import ReplayEvent
from offpath_cli.replay.numbers import SeenNumbers
from offpath_cli.replay.report import Report

# A line that is longer is no event that the writer takes.
_MOST_LINE_BYTES = 64_000_000


class ArchiveBucket(Protocol):
    """Reads the bucket. Each method may raise Transient."""

    def keys(self, prefix: str) -> Iterable[str]:
        """Return the keys that begin with the prefix."""

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises ObjectMissing."""


class ArchiveSource:
    """The events that were archived between two times, by whole hours, one of each number."""

    def __init__(self, bucket: ArchiveBucket, since: datetime, until: datetime, report: Report) -> None:
        self._bucket = bucket
        self._since = since
        self._until = until
        self._report = report
        self._seen = SeenNumbers()

    def events(self) -> Iterator[ReplayEvent]:
        """Yield the events in the order in which their hours went by. Raises Transient."""
        for hour in hours(self._since, self._until):
            self._report.reach(f"{hour:%Y-%m-%dT%H:00}")
            for key in self._bucket.keys(archive_hour_prefix(hour)):
                yield from self._object(key)

    def _object(self, key: str) -> Iterator[ReplayEvent]:
        try:
            for line in _lines(self._bucket.get(key)):
                yield from self._event(key, line)
        except ObjectMissing:  # expired meanwhile
            return
        except (OSError, EOFError, zlib.error, MalformedEvent) as error:
            self._report.leave(key, f"the object is damaged: {error}")

    def _event(self, key: str, line: bytes) -> Iterator[ReplayEvent]:
        self._report.read += 1
        body = line.decode(errors="replace")
        try:
            facts = event_facts(body)
        except MalformedEvent as error:
            self._report.leave(key, str(error))
            return
        if not self._seen.is_new(facts.number):
            self._report.again += 1
            return
        yield ReplayEvent(body, key, self._report.reading, facts.trace_id, facts.experiment, facts)


def hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the hours, in UTC, that the period touches."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += timedelta(hours=1)


def _lines(content: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as lines:
        while line := lines.readline(_MOST_LINE_BYTES + 1):
            if len(line) > _MOST_LINE_BYTES:
                raise MalformedEvent(f"a line has more than {_MOST_LINE_BYTES:,} bytes")
            if line.strip():
                yield line.rstrip(b"\n")
