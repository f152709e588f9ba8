"""Read from S3 what an audit joins: archive, receipts, notes of what waits, spill and dead letters."""

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Protocol

from offpath.aws.s3 import Listed, S3Claims
from offpath.contracts import dead_letter, receipt, spilled
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.errors import ClaimLost, MalformedEvent, ObjectMissing, UnknownSchema
from offpath.contracts.event_summary import EventSummary, summarise_event, summarise_message
from offpath.contracts.message import Message
from offpath.contracts.names import (
    DEAD_LETTERS_PREFIX,
    RECEIPTS_PREFIX,
    SPILL_PARTS_PREFIX,
    SPILL_PREFIX,
    WAITING_PREFIX,
    archive_hour_prefix,
    receipts_hour_prefix,
    spill_done_key,
)
from offpath.contracts.receipt import Receipt
from offpath.contracts.trace_event import claim_of
from trace_writer.audit.prefetch import Fetched, fetched


class LedgerBucket(Protocol):
    """The pipeline's bucket. Each method may raise Transient."""

    name: str

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name. An audit does not."""

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the content of an object. Raises ObjectMissing."""

    def listed(self, prefix: str) -> Iterable[Listed]:
        """Return the objects whose keys begin with the prefix, in the order of their keys."""


class ArchivedEvent(NamedTuple):
    """An event of the archive. line: OTLP/JSON. written_at: when its object was written."""

    line: bytes
    summary: EventSummary
    written_at: datetime


class Ledger:
    """The ledger in a bucket. Each method may raise Transient, and those of receipts UnknownSchema.

    unreadable: what could not be read, with the reason.
    """

    def __init__(self, bucket: LedgerBucket) -> None:
        self._bucket = bucket
        self._claims = S3Claims(bucket)
        self.unreadable: list[str] = []

    def first_receipt_at(self) -> datetime | None:
        """Return when the first receipt that there still is was written, None if there is none."""
        for found in self._bucket.listed(RECEIPTS_PREFIX):
            return found.modified
        return None

    def receipts(self, hour: datetime) -> Iterator[Receipt]:
        """Yield the receipts that were written in an hour, which is in UTC."""
        for found in fetched(self._bucket.listed(receipts_hour_prefix(hour)), self._bucket.get):
            for line in self._lines(found):
                try:
                    yield receipt.load(line)
                except MalformedEvent as error:
                    self.unreadable.append(f"{found.listed.key}: {error}")

    def archived(self, hour: datetime) -> Iterator[ArchivedEvent]:
        """Yield the events that were archived in an hour, which is in UTC."""
        for found in fetched(self._bucket.listed(archive_hour_prefix(hour)), self._bucket.get):
            for line in self._lines(found):
                yield ArchivedEvent(line, summarise_event(line), found.listed.modified)

    def waiting(self, since: datetime, until: datetime) -> Iterator[tuple[str, int]]:
        """Yield the events that were noted to wait on the queue since then: instance and sequence."""
        prefixes = [f"{WAITING_PREFIX}minute={day:%Y-%m-%d}" for day in _days(since, until)]
        for prefix in [*prefixes, f"{WAITING_PREFIX}minute=unknown"]:
            for found in fetched(self._bucket.listed(prefix), self._bucket.get):
                try:
                    for instance, sequence in json.loads(found.content).get("events", []):
                        yield str(instance), int(sequence)
                except (ValueError, TypeError, AttributeError):  # a note that is none explains nothing
                    continue

    def spilled_count(self) -> int:
        """Return how many events wait under `spill/`."""
        return sum(1 for _ in self._spilled_keys())

    def spilled(self) -> Iterator[EventSummary]:
        """Yield the events that wait under `spill/`."""
        for name, keys in self._spilled_keys():
            yield from self._of_messages(name, keys)

    def _spilled_keys(self) -> Iterator[tuple[str, list[str]]]:
        """Yield for each event that waits what it is called, and the objects that it is in."""
        for found in self._bucket.listed(SPILL_PREFIX):
            if not found.key.startswith(SPILL_PARTS_PREFIX):
                yield found.key, [found.key]
        parts = self._bucket.listed(SPILL_PARTS_PREFIX)
        for folder, objects in groupby(parts, lambda found: found.key.rpartition("/")[0]):
            keys = [found.key for found in objects]
            if spill_done_key(folder) not in keys:  # it is written, and its parts are about to go
                yield folder, keys

    def dead_letters(self, since: datetime, until: datetime) -> Iterator[EventSummary]:
        """Yield the events of the dead letters that were sent since then, and are not on the queue of events again."""
        return (event for letter, event in self._letters(since, until) if not letter.redriven_at)

    def redriven(self, since: datetime, until: datetime, before: datetime) -> frozenset[tuple[str, int]]:
        """Return the events whose dead letters were put back before a time, as instance and sequence.

        One that was dead-lettered again is none of them.
        """
        again: set[tuple[str, int]] = set()
        others: set[tuple[str, int]] = set()
        for letter, event in self._letters(since, until):
            if event.is_numbered:
                is_again = letter.redriven_at is not None and letter.redriven_at < before
                (again if is_again else others).add((event.instance, event.sequence))
        return frozenset(again - others)

    def _letters(self, since: datetime, until: datetime) -> Iterator[tuple[DeadLetter, EventSummary]]:
        for day in _days(since, until):
            for found in self._bucket.listed(f"{DEAD_LETTERS_PREFIX}date={day:%Y-%m-%d}/"):
                if not found.key.endswith(".claim.json"):
                    yield from self._letter(found.key)

    def _letter(self, key: str) -> Iterator[tuple[DeadLetter, EventSummary]]:
        try:
            letter: DeadLetter = dead_letter.load(self._bucket.get(key))
            body = self._bucket.get(letter.claim_key) if letter.claim_key else None
        except ObjectMissing:
            return
        except (MalformedEvent, UnknownSchema) as error:
            if (reason := f"{key}: {error}") not in self.unreadable:  # they are read twice
                self.unreadable.append(reason)
            return
        yield letter, summarise_event(body) if body is not None else summarise_message(letter.message)

    def _of_messages(self, name: str, keys: list[str]) -> Iterator[EventSummary]:
        try:
            contents = [self._bucket.get(key) for key in keys]
            if name.startswith(SPILL_PARTS_PREFIX):
                lines = [content.decode(errors="replace") for content in contents]
                yield from map(self._summary, spilled.from_log(lines))
            else:
                yield self._summary(spilled.load(contents[0]))
        except ObjectMissing:  # a sweep took it up
            return
        except (MalformedEvent, UnknownSchema) as error:
            self.unreadable.append(f"{name}: {error}")

    def _summary(self, message: Message) -> EventSummary:
        claim = claim_of(message)
        try:
            return summarise_event(self._claims.get(claim.bucket, claim.key)) if claim else summarise_message(message)
        except ClaimLost:
            return summarise_message(message)

    def _lines(self, found: Fetched) -> Iterator[bytes]:
        try:
            for line in gzip.GzipFile(fileobj=io.BytesIO(found.content)):
                yield line.rstrip(b"\n")
        except (OSError, EOFError, zlib.error) as error:
            self.unreadable.append(f"{found.listed.key}: {error}")


def _days(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the days in UTC from the one before on: what is noted of an event may lie under an earlier time."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while day <= until:
        yield day
        day += timedelta(days=1)
