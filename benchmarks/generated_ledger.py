"""Make archives and receipts of any size in a folder that stands for a bucket, as the writer leaves them."""

import gzip
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from events.samples import trace_event
from offpath.aws.s3 import Listed
from offpath.contracts import receipt
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.event_summary import EventSummary, summarise_event
from offpath.contracts.names import RECEIPTS_PREFIX, archive_hour_prefix, receipts_hour_prefix
from offpath.contracts.receipt import IN_MLFLOW, Receipt

DAY = datetime(2026, 11, 24, tzinfo=UTC)
BATCH = 100
# As many Lambda environments are there at once, and each lives for so many events.
AT_ONCE = 40
EVENTS_A_PROCESS = 2_000
_GZIP_LEVEL = 1


class FolderBucket:
    """A folder as a bucket: an object is a file."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.name

    def get(self, key: str, max_bytes: int | None = None) -> bytes:  # noqa: ARG002
        """Return the content of an object. Raises ObjectMissing."""
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error

    def listed(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects under a folder. Receipts are as old as the day, the archive as the next one."""
        modified = DAY if prefix.startswith(RECEIPTS_PREFIX) else DAY + timedelta(days=1)
        for folder, _, names in sorted(os.walk(self._folder / prefix)):
            for name in sorted(names):
                path = Path(folder) / name
                yield Listed(str(path.relative_to(self._folder)), path.stat().st_size, modified)


@dataclass(frozen=True, slots=True)
class Planted:
    """How many events were left out of everything, of the receipts, and of the archive."""

    lost: int
    no_end: int
    not_archived: int


def generate(bucket: FolderBucket, events: int, seed: int = 1) -> Planted:
    """Write so many events of a day, and their receipts, in batches of a hundred; a few are left out."""
    template = _Template()
    drawn = random.Random(seed)
    counts = {"lost": 0, "no_end": 0, "not_archived": 0}
    batch: list[tuple[bytes, EventSummary, str]] = []
    for number, (instance, sequence) in enumerate(_numbers(events, drawn)):
        # Nothing shows that the last event of a process is lost.
        is_last = sequence == EVENTS_A_PROCESS or number > events * 0.99
        fate = drawn.random() * 1e5
        left_out = "" if is_last or fate >= 3 else ("lost", "no_end", "not_archived")[int(fate)]
        if left_out:
            counts[left_out] += 1
        if left_out != "lost":
            time = DAY + timedelta(seconds=86_000 * number / events)
            batch.append((*template.event(instance, sequence, time, drawn), left_out))
        if len(batch) == BATCH:
            _write(bucket, batch)
            batch = []
    if batch:
        _write(bucket, batch)
    return Planted(**counts)


def _numbers(events: int, drawn: random.Random) -> Iterator[tuple[str, int]]:
    """Yield the events' numbers, of processes that take turns as chance will have it, each to its end."""
    living: list[tuple[str, int]] = []
    left = events
    while left:
        while len(living) < AT_ONCE:
            milliseconds = int(DAY.timestamp() * 1000) + int(86_000_000 * (events - left) / events)
            living.append((f"{milliseconds:012x}7{drawn.getrandbits(12):03x}8{drawn.getrandbits(60):015x}", 0))
        at = drawn.randrange(len(living))
        instance, sequence = living[at]
        living[at] = instance, sequence + 1
        yield living[at]
        left -= 1
        if sequence + 1 == EVENTS_A_PROCESS:
            del living[at]


def _write(bucket: FolderBucket, batch: list[tuple[bytes, EventSummary, str]]) -> None:
    written = batch[-1][1].ended_at
    assert written is not None
    lines = b"".join(line + b"\n" for line, _, left_out in batch if left_out != "not_archived")
    ends = [receipt.dump(Receipt(IN_MLFLOW, event)) for _, event, left_out in batch if left_out != "no_end"]
    name = f"{random.getrandbits(256):064x}.jsonl.gz"
    bucket.put(archive_hour_prefix(written) + name, gzip.compress(lines, _GZIP_LEVEL))
    bucket.put(receipts_hour_prefix(written) + name, gzip.compress(b"\n".join(ends) + b"\n", _GZIP_LEVEL))


class _Template:
    """An event of the samples, in which what differs between events is replaced."""

    def __init__(self) -> None:
        body = trace_event(1).body.encode()
        found = summarise_event(body)
        self._trace_id, self._instance = found.trace_id.encode(), found.instance.encode()
        self._sequence = f'"intValue":"{found.sequence}"'.encode()
        self._model, self._experiment = found.model, found.experiment
        at = body.rindex(b'"endTimeUnixNano":"') + len(b'"endTimeUnixNano":"')
        self._time = body[at : body.index(b'"', at)]
        head, _, self._tail = body.rpartition(b'"offpath.sequence"')
        self._head = head

    def event(self, instance: str, sequence: int, time: datetime, drawn: random.Random) -> tuple[bytes, EventSummary]:
        """Return a line of the archive, and what it says."""
        trace_id = f"{drawn.getrandbits(128):032x}"
        nanoseconds = str(int(time.timestamp() * 1000) * 1_000_000).encode()
        head = self._head.replace(self._trace_id, trace_id.encode()).replace(self._instance, instance.encode())
        tail = self._tail.replace(self._sequence, f'"intValue":"{sequence}"'.encode(), 1)
        line = head.replace(self._time, nanoseconds) + b'"offpath.sequence"' + tail
        return line, EventSummary(instance, sequence, trace_id, self._experiment, self._model, time)
