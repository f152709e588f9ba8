"""Read events that wait elsewhere than on the queue: spilled ones, those of a log, and dead letters."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from offpath.aws.s3 import S3Claims
from offpath.contracts import dead_letter, spilled
from offpath.contracts.dead_letter_message import original
from offpath.contracts.errors import ObjectMissing, Poison, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix
from offpath.contracts.trace_event import decode_message
from offpath_cli.event_facts import event_facts
from offpath_cli.replay.event import ReplayEvent
from offpath_cli.replay.report import Report


class SourceBucket(Protocol):
    """Reads the bucket. Each method may raise Transient."""

    name: str

    def keys(self, prefix: str) -> Iterable[str]:
        """Return the keys that begin with the prefix."""

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the content of an object. Raises ObjectMissing, or ObjectTooLarge."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the bucket's name."""


class MessageSource:
    """Events of messages, which may stand for a body in the bucket."""

    def __init__(self, bucket: SourceBucket, report: Report) -> None:
        self._bucket = bucket
        self._claims = S3Claims(bucket)
        self._report = report

    def spilled(self, queue: str) -> Iterator[ReplayEvent]:
        """Yield what waits under `spill/` for the queue of that name. Raises Transient."""
        yield from self._objects(self._bucket.keys(spill_prefix(queue)), spilled.load)

    def letters(self, keys: Iterable[str]) -> Iterator[ReplayEvent]:
        """Yield the dead letters whose copies have these keys. Raises Transient."""
        yield from self._objects(keys, lambda content: original(dead_letter.load(content).message))

    def log(self, name: str, lines: Iterable[str]) -> Iterator[ReplayEvent]:
        """Yield what neither SQS nor S3 took, of the lines of a log. Raises Transient. name: of the log."""
        try:
            for message in spilled.from_log(lines):
                yield from self._event(name, message)
        except (Poison, UnknownSchema) as error:  # after the last one: it names all that could not be read
            self._report.leave(name, str(error))

    def _objects(self, keys: Iterable[str], load: Callable[[bytes], Message]) -> Iterator[ReplayEvent]:
        for key in keys:
            try:
                message = load(self._bucket.get(key))
            except ObjectMissing:  # somebody else was faster
                continue
            except (Poison, UnknownSchema) as error:
                self._report.read += 1
                self._report.leave(key, str(error))
                continue
            yield from self._event(key, message)

    def _event(self, key: str, message: Message) -> Iterator[ReplayEvent]:
        self._report.read += 1
        self._report.reach(key)
        try:
            event = decode_message(message, self._claims)
            facts = event_facts(event.body)
        except (Poison, UnknownSchema) as error:
            self._report.leave(key, str(error))
            return
        yield ReplayEvent(event.body, key, key, event.trace_id, event.experiment, facts)
