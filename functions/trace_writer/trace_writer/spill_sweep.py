"""Lead back what could not be queued: events under `spill/`, and those that came in parts by the log.

Each is decoded, archived and delivered as if it came from the queue, and only then deleted. One sweep at a time does
so, for as long as its invocation lasts; what is left then, or fails, is taken up by the next one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from offpath.aws.sqs import batches
from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, ObjectMissing, OffpathError, Transient
from offpath.contracts.message import Message
from offpath.contracts.names import spill_done_key
from trace_writer.decode import Received
from trace_writer.spill_listing import SpilledEvent, SpillListing
from trace_writer.writer import Written

# At once in memory, as they lie in S3. JSON that is escaped is up to three times as large as what it stands for.
PART_BYTES = 32_000_000
PART_EVENTS = 100
# A verdict of the writer itself on what lies in S3 is final: it would be the same at any time.
_RECEIVES = 1_000


class SpillBucket(Protocol):
    """Reads and empties a bucket. Each method may raise Transient."""

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key."""

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


class SpillSweep:
    """Takes up what a listing shows.

    now: the wall clock. has_time: tells whether a deadline, on the writer's clock, is still to come.
    """

    def __init__(
        self,
        listing: SpillListing,
        bucket: SpillBucket,
        writer: Writer,
        now: Callable[[], datetime],
        has_time: Callable[[float], bool],
    ) -> None:
        self._listing = listing
        self._bucket = bucket
        self._writer = writer
        self._now = now
        self._has_time = has_time

    def run(self, deadline: float, log_written: Callable[[Written], None]) -> Swept:
        """Take up what there is time for. Raises Transient if S3 does not answer.

        log_written: is handed what became of each batch.
        """
        self._listing.clean(self._now())
        swept = self._counted()
        if swept.found:
            for part in batches(self._complete(swept), lambda event: event.size, PART_EVENTS, PART_BYTES):
                if not self._has_time(deadline):
                    swept.left |= {event.name: "there was no time left for it" for event in part}
                    break
                if not self._take(part, deadline, swept, log_written):
                    break
        return swept

    def _counted(self) -> Swept:
        """Look at everything before anything is taken: wherever one begins, the oldest may come last."""
        swept, now = Swept(), self._now()
        for found in self._listing.waiting():
            swept.found += 1
            swept.oldest_seconds = max(swept.oldest_seconds, (now - found.modified).total_seconds())
        return swept

    def _complete(self, swept: Swept) -> Iterator[SpilledEvent]:
        for event in self._listing.events():
            if event.is_in_parts and not event.is_complete:
                swept.incomplete += 1
            else:
                yield event

    def _take(
        self, part: Sequence[SpilledEvent], deadline: float, swept: Swept, log_written: Callable[[Written], None]
    ) -> bool:
        """Write a part, and delete what was written. Tell whether there is a point in going on."""
        loaded = self._loaded(part, swept)
        batch = [Received(name, message, _RECEIVES, event.written_at) for name, (event, message) in loaded.items()]
        written = self._writer.write(batch, deadline)
        log_written(written)
        swept.left |= {failure.message_id: str(failure.error) for failure in written.failures}
        done = [event for name, (event, _) in loaded.items() if name not in swept.left]
        for event in done:
            self._delete(event)
        swept.written += len(done)
        return bool(done) or not any(isinstance(failure.error, Transient) for failure in written.failures)

    def _loaded(self, part: Iterable[SpilledEvent], swept: Swept) -> dict[str, tuple[SpilledEvent, Message]]:
        loaded: dict[str, tuple[SpilledEvent, Message]] = {}
        for event in part:
            try:
                loaded[event.name] = event, self._load(event)
            except ObjectMissing:  # another sweep, or a person, was faster
                continue
            except OffpathError as error:
                swept.left[event.name] = str(error)
        return loaded

    def _load(self, event: SpilledEvent) -> Message:
        """Return the message. Raises ObjectMissing, UnknownSchema, ObjectTooLarge or Transient."""
        contents = [self._bucket.get(item.key, PART_BYTES * 2) for item in event.objects]
        try:
            if not event.is_in_parts:
                return spilled.load(contents[0])
            lines = [content.decode(errors="replace") for content in contents]
            return next(spilled.from_log(lines, PART_BYTES * 2))
        except (MalformedEvent, StopIteration):  # as poison on the queue is: to the dead letters, as it came
            return Message(b"\n".join(contents).decode(errors="replace"), {})

    def _delete(self, event: SpilledEvent) -> None:
        """Delete an event that is written. The mark comes first: without it, parts that are left would never go."""
        if event.is_in_parts:
            self._bucket.put(spill_done_key(event.name), b"{}")
        for item in event.objects:
            self._bucket.delete(item.key)
