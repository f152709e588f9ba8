"""Decode, archive and deliver a batch of messages. Nothing leaves the queue before the archive has it.

What comes for the first time is archived before MLflow is asked. What comes again mostly is in the archive already, so
it is archived only once it is done with: else an MLflow outage would add every waiting event at every receive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from offpath.contracts.errors import OffpathError, Transient
from offpath.contracts.trace_event import ClaimStore
from trace_writer.changes import Change
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Decoded, Received, decode
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures


class Archive(Protocol):
    """Keep every event for good."""

    def store(self, lines: Sequence[bytes]) -> str:
        """Write the lines as one object, and return its key. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Name a message that was not delivered, and the reason. trace_id is empty if the message names no trace."""

    message_id: str
    trace_id: str
    error: OffpathError


@dataclass(frozen=True, slots=True)
class Changed:
    """Name a message that was delivered, and how its trace in MLflow differs from what came."""

    message_id: str
    trace_id: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Written:
    """Hold the result of writing a batch.

    archive_keys: of the objects that were written: none, one, or two if some messages came again. failures: what must
    stay on the queue. dead_lettered: what need not, as it is on the dead-letter queue. changed: what was delivered, but
    not all of it as it came.
    """

    received: int
    archive_keys: Sequence[str]
    failures: Sequence[Failure]
    dead_lettered: Sequence[Failure] = ()
    changed: Sequence[Changed] = ()


class TraceWriter:
    """Write batches of trace events to the archive and to MLflow.

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
        try:
            keys = self._store([event for event in events if event.source.receives == 1])
        except Transient as error:
            return self._settle(batch, [], failures | _all_failed(events, error))
        failures |= self._delivery.deliver(events, deadline)
        done = [event for event in events if event.source.receives > 1 and not _comes_again(event, failures)]
        try:
            keys += self._store(done)
        except Transient as error:
            failures |= _all_failed(done, error)  # in place of what MLflow refused, too: it is not archived yet
        return replace(self._settle(batch, keys, failures), changed=_changed(events, failures))

    def _store(self, events: Sequence[Decoded]) -> list[str]:
        return [self._archive.store([event.line for event in events])] if events else []

    def _settle(self, batch: Sequence[Received], keys: Sequence[str], failures: Failures) -> Written:
        """Dead-letter what can never be delivered, and report what stays on the queue."""
        failed = [received for received in batch if received.message_id in failures]
        moved = {received.message_id for received in failed if self._dead_letter(received, failures)}
        reports = [Failure(one.message_id, one.trace_id, failures[one.message_id]) for one in failed]
        return Written(
            received=len(batch),
            archive_keys=keys,
            failures=[report for report in reports if report.message_id not in moved],
            dead_lettered=[report for report in reports if report.message_id in moved],
        )

    def _dead_letter(self, received: Received, failures: Failures) -> bool:
        """Send a message to the dead-letter queue, if it is poison. Tell whether it is there now."""
        return self._dead_letters is not None and self._dead_letters.take(received, failures[received.message_id])

    def _decode(self, batch: Sequence[Received]) -> tuple[list[Decoded], Failures]:
        events: list[Decoded] = []
        failures: Failures = {}
        for received in batch:
            try:
                events.append(decode(received, self._claims))
            except OffpathError as error:
                failures[received.message_id] = error
        return events, failures


def _comes_again(event: Decoded, failures: Failures) -> bool:
    return isinstance(failures.get(event.source.message_id), Transient)


def _changed(events: Sequence[Decoded], failures: Failures) -> list[Changed]:
    return [
        Changed(event.source.message_id, event.source.trace_id, event.changes)
        for event in events
        if event.changes and event.source.message_id not in failures
    ]


def _all_failed(events: Sequence[Decoded], error: OffpathError) -> Failures:
    return {event.source.message_id: error for event in events}
