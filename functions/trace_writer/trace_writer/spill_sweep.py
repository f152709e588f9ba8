"""Lead back what could not be queued: events under `spill/`, and those that came in parts by the log.

Each is decoded, archived and delivered as if it came from the queue, and only then deleted. One sweep at a time does
so, for as long as its invocation lasts; what is left then, or fails, is taken up by the next one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Protocol

from offpath.aws.s3 import Listed
from offpath.aws.sqs import batches
from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, ObjectMissing, OffpathError, Transient
from offpath.contracts.message import Message
from offpath.contracts.names import SPILL_PARTS_PREFIX, spill_prefix
from trace_writer.decode import Received
from trace_writer.writer import Written

# At once in memory, as they lie in S3. JSON that is escaped is up to three times as large as what it stands for.
PART_BYTES = 32_000_000
PART_EVENTS = 100
# A verdict of the writer itself on what lies in S3 is final: it would be the same at any time.
_RECEIVES = 1_000


class SpillBucket(Protocol):
    """Reads and empties a bucket. Each method may raise Transient."""

    def listed(self, prefix: str) -> Iterable[Listed]:
        """Return the objects whose keys begin with the prefix, in the order of their keys."""

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the content of an object. Raises ObjectMissing, or ObjectTooLarge."""

    def delete(self, key: str) -> None:
        """Remove an object."""


class Writer(Protocol):
    """Writes batches of events."""

    def write(self, batch: Sequence[Received], deadline: float) -> Written:
        """Write what can be written until the deadline, and account for every message."""


@dataclass(slots=True)
class Swept:
    """Tell what a sweep found and did.

    found: events and parts of events before it. oldest_seconds: the age of the oldest of them. written: events that are
    in the archive and in MLflow, or dead-lettered, and gone from `spill/`. left: key of an event that stays → reason.
    incomplete: messages of which parts are missing yet.
    """

    found: int = 0
    oldest_seconds: float = 0.0
    written: int = 0
    left: dict[str, str] = field(default_factory=dict)
    incomplete: int = 0


@dataclass(frozen=True, slots=True)
class _Spilled:
    """An event in S3: the objects that it is in, which are deleted together. name: what it is called in notes."""

    name: str
    objects: Sequence[Listed]

    @property
    def size(self) -> int:
        return sum(found.size for found in self.objects)

    @property
    def written_at(self) -> datetime:
        return min(found.modified for found in self.objects)


class SpillSweep:
    """Takes up what lies under `spill/<queue name>/` and `spill/parts/`.

    now: the wall clock. has_time: tells whether a deadline, on the writer's clock, is still to come.
    """

    def __init__(
        self,
        bucket: SpillBucket,
        writer: Writer,
        queue_name: str,
        now: Callable[[], datetime],
        has_time: Callable[[float], bool],
    ) -> None:
        self._bucket = bucket
        self._writer = writer
        self._queue_name = queue_name
        self._now = now
        self._has_time = has_time

    def run(self, deadline: float, log_written: Callable[[Written], None]) -> Swept:
        """Take up what there is time for. Raises Transient if S3 does not answer.

        log_written: is handed what became of each batch.
        """
        swept = self._counted()
        if swept.found:
            for part in batches(self._spilled(swept), lambda found: found.size, PART_EVENTS, PART_BYTES):
                if not self._has_time(deadline):
                    swept.left |= {found.name: "there was no time left for it" for found in part}
                    break
                if not self._take(part, deadline, swept, log_written):
                    break
        return swept

    def _counted(self) -> Swept:
        """Look at everything before anything is taken: in the order of S3, the oldest may come last."""
        swept, now = Swept(), self._now()
        for prefix in (spill_prefix(self._queue_name), SPILL_PARTS_PREFIX):
            for found in self._bucket.listed(prefix):
                swept.found += 1
                swept.oldest_seconds = max(swept.oldest_seconds, (now - found.modified).total_seconds())
        return swept

    def _spilled(self, swept: Swept) -> Iterator[_Spilled]:
        for found in self._bucket.listed(spill_prefix(self._queue_name)):
            yield _Spilled(found.key, [found])
        for folder, objects in groupby(self._bucket.listed(SPILL_PARTS_PREFIX), lambda found: _folder(found.key)):
            parts = list(objects)
            if _is_complete(parts):
                yield _Spilled(folder, parts)
            else:
                swept.incomplete += 1

    def _take(
        self, part: Sequence[_Spilled], deadline: float, swept: Swept, log_written: Callable[[Written], None]
    ) -> bool:
        """Write a part, and delete what was written. Tell whether there is a point in going on."""
        loaded: dict[str, tuple[_Spilled, Message]] = {}
        for found in part:
            try:
                loaded[found.name] = found, self._load(found)
            except ObjectMissing:  # another sweep, or a person, was faster
                continue
            except OffpathError as error:
                swept.left[found.name] = str(error)
        batch = [Received(name, message, _RECEIVES, found.written_at) for name, (found, message) in loaded.items()]
        written = self._writer.write(batch, deadline)
        log_written(written)
        swept.left |= {failure.message_id: str(failure.error) for failure in written.failures}
        done = [found for name, (found, _) in loaded.items() if name not in swept.left]
        for found in done:
            for item in found.objects:
                self._bucket.delete(item.key)
        swept.written += len(done)
        return bool(done) or not any(isinstance(failure.error, Transient) for failure in written.failures)

    def _load(self, found: _Spilled) -> Message:
        """Return the message. Raises ObjectMissing, UnknownSchema, ObjectTooLarge or Transient."""
        contents = [self._bucket.get(item.key, PART_BYTES * 2) for item in found.objects]
        try:
            if not found.name.startswith(SPILL_PARTS_PREFIX):
                return spilled.load(contents[0])
            lines = [content.decode(errors="replace") for content in contents]
            return next(spilled.from_log(lines, PART_BYTES * 2))
        except (MalformedEvent, StopIteration):  # as poison on the queue is: to the dead letters, as it came
            return Message(b"\n".join(contents).decode(errors="replace"), {})


def _folder(key: str) -> str:
    return key.rpartition("/")[0]


def _is_complete(parts: Sequence[Listed]) -> bool:
    """Tell whether all parts are there. Their names say how many there are; what is named otherwise stays."""
    names = {part.key.rpartition("/")[2].removesuffix(".json") for part in parts}
    totals = {name.partition("-of-")[2] for name in names}
    total = totals.pop() if len(totals) == 1 else ""
    if not total.isdecimal() or int(total) != len(names):
        return False
    return names == {f"{number:05d}-of-{total}" for number in range(1, len(names) + 1)}
