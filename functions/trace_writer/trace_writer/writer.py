"""A batch of messages: decode, archive, deliver. The archive comes first, so that it holds whatever MLflow has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offpath.errors import OffpathError, Transient
from offpath.event import ClaimStore
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Decoded, Received, decode
from trace_writer.delivery import Delivery, Failures


class Archive(Protocol):
    """Keeps every event for good."""

    def store(self, lines: Sequence[bytes]) -> str:
        """Write the lines as one object, and return its key. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that was not delivered, and why. trace_id is empty if the message names no trace."""

    message_id: str
    trace_id: str
    error: OffpathError


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch.

    archive_key: None if nothing was archived. failures: what must stay on the queue. dead_lettered: what need not, as
    it is on the dead-letter queue.
    """

    received: int
    archive_key: str | None
    failures: Sequence[Failure]
    dead_lettered: Sequence[Failure] = ()


class TraceWriter:
    """Writes batches of trace events to the archive and to MLflow.

    dead_letters: None where SQS alone dead-letters.
    """

    def __init__(
        self, claims: ClaimStore, archive: Archive, delivery: Delivery, dead_letters: DeadLetters | None = None
    ) -> None:
        self._claims = claims
        self._archive = archive
        self._delivery = delivery
        self._dead_letters = dead_letters

    def write(self, batch: Sequence[Received], deadline: float) -> Written:
        """Write what can be written until the deadline on the delivery's clock; every message is accounted for."""
        events, failures = self._decode(batch)
        archive_key = None
        try:
            if events:
                archive_key = self._archive.store([event.line for event in events])
                failures |= self._delivery.deliver(events, deadline)
        except Transient as error:
            failures |= {event.source.message_id: error for event in events}
        kept, dead = self._sorted(batch, failures)
        return Written(len(batch), archive_key, kept, dead)

    def _sorted(self, batch: Sequence[Received], failures: Failures) -> tuple[list[Failure], list[Failure]]:
        kept: list[Failure] = []
        dead: list[Failure] = []
        for received in batch:
            if error := failures.get(received.message_id):
                taken = self._dead_letters is not None and self._dead_letters.take(received, error)
                (dead if taken else kept).append(Failure(received.message_id, received.trace_id, error))
        return kept, dead

    def _decode(self, batch: Sequence[Received]) -> tuple[list[Decoded], Failures]:
        events: list[Decoded] = []
        failures: Failures = {}
        for received in batch:
            try:
                events.append(decode(received, self._claims))
            except OffpathError as error:
                failures[received.message_id] = error
        return events, failures
