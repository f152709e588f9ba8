"""Decode, archive and deliver a batch of messages. Nothing leaves the queue before the archive has it.

A batch is written in parts that are bounded in bytes, so that what its messages stand for never fills the memory. What
comes again after an outage, or was sent again from the archive, is there already, and is not archived a second time.
How each event ended is recorded before its message leaves the queue.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from offpath.contracts.errors import OffpathError, Transient
from offpath.contracts.event_summary import EventSummary, summarise_message
from offpath.contracts.receipt import DEAD_LETTERED, IN_MLFLOW, SAMPLED_OUT, Receipt
from offpath.contracts.replayed import is_replayed
from offpath.contracts.trace_event import ClaimStore
from trace_writer.changes import Change
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Decoded, Received, decode
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures
from trace_writer.limits import LIMITS, Limits
from trace_writer.memory import without_frames
from trace_writer.sampling import KEEP_ALL, Sampling


class Archive(Protocol):
    """Keep every event for good."""

    def store(self, lines: Iterable[bytes]) -> str | None:
        """Write the lines as one object, and return its key, or None if there are none. Raises Transient.

        All lines are taken before anything is written.
        """

    def holds(self, batch: Iterable[Received]) -> frozenset[str]:
        """Return the ids of those messages that are known to be in the archive already."""

    def note(self, waiting: Sequence[Received], summaries: Mapping[str, EventSummary]) -> None:
        """Note that these messages are in the archive, and stay on the queue. summaries: events by message id."""

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Keep how these events ended. Raises Transient."""


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

    archive_keys: of the objects that were written, one for each part of the batch that holds something new. failures:
    what must stay on the queue. dead_lettered: what need not, as it is on the dead-letter queue. changed: what was
    delivered, but not all of it as it came. sampled_out: how many are in the archive alone, as the rules say.
    """

    received: int
    archive_keys: Sequence[str]
    failures: Sequence[Failure]
    dead_lettered: Sequence[Failure] = ()
    changed: Sequence[Changed] = ()
    sampled_out: int = 0


@dataclass(slots=True)
class _Part:
    """Events that are held at once.

    sampled_out: those that MLflow does not get. stored: those whose line the archive is given. failures: of the others.
    """

    events: list[Decoded] = field(default_factory=list)
    sampled_out: list[Decoded] = field(default_factory=list)
    stored: list[Received] = field(default_factory=list)
    failures: Failures = field(default_factory=dict)


@dataclass(slots=True)
class _Ledger:
    """What is known of a batch's events, by message id. archived: those that this batch has put into the archive.

    sampled_out: ids of messages whose events MLflow does not get.
    """

    summaries: dict[str, EventSummary] = field(default_factory=dict)
    sampled_out: set[str] = field(default_factory=set)
    archived: list[Received] = field(default_factory=list)

    def note(self, part: _Part) -> None:
        """Note a part that is in the archive."""
        events = [*part.events, *part.sampled_out]
        self.summaries |= {event.source.message_id: event.summary for event in events}
        self.sampled_out |= {event.source.message_id for event in part.sampled_out}
        self.archived += part.stored


@dataclass(frozen=True, slots=True)
class Rules:
    """Say what of an event is taken at all, and which events MLflow gets."""

    limits: Limits = LIMITS
    sampling: Sampling = KEEP_ALL


class TraceWriter:
    """Write batches of trace events to the archive and to MLflow.

    dead_letters: None where SQS alone dead-letters.
    """

    def __init__(
        self,
        claims: ClaimStore,
        archive: Archive,
        delivery: Delivery,
        dead_letters: DeadLetters | None = None,
        rules: Rules = Rules(),
    ) -> None:
        self._claims = claims
        self._archive = archive
        self._delivery = delivery
        self._dead_letters = dead_letters
        self._limits = rules.limits
        self._sampling = rules.sampling

    def write(self, batch: Sequence[Received], deadline: float) -> Written:
        """Write what can be written until the deadline on the delivery's clock; every message is accounted for."""
        waiting, archived, ledger = deque(batch), self._archive.holds(batch) | _replayed(batch), _Ledger()
        keys: list[str] = []
        failures: Failures = {}
        changed: list[Changed] = []
        while waiting:
            part = _Part()
            try:
                key = self._store(part, waiting, archived)
            except Transient as error:
                left = [*(event.source for event in (*part.events, *part.sampled_out)), *waiting]
                failures |= part.failures | _all_failed(left, error)
                break
            keys += [key] if key else []
            ledger.note(part)
            failures |= part.failures | self._deliver(part, deadline)
            changed += _changed(part.events, failures)
            if waiting and not self._delivery.has_time(deadline):
                failures |= _all_failed(waiting, Transient("there was no time left for the rest of the batch"))
                break
        return replace(self._settle(batch, keys, failures, ledger), changed=changed)

    def _store(self, part: _Part, waiting: deque[Received], archived: frozenset[str]) -> str | None:
        """Fill the part and archive it. Raises Transient."""
        lines = self._lines(part, waiting, archived)
        try:
            return self._archive.store(lines)
        finally:
            deque(lines, maxlen=0)

    def _lines(self, part: _Part, waiting: deque[Received], archived: frozenset[str]) -> Iterator[bytes]:
        """Decode messages into the part until it is full, and yield the lines that are not in the archive."""
        size = 0
        while waiting:
            expected = self._limits.size_of(waiting[0].message)
            if size and size + expected > self._limits.part_bytes:
                return
            received = waiting.popleft()
            try:
                event = decode(received, self._claims, self._limits)
            except OffpathError as error:
                part.failures[received.message_id] = without_frames(error)
                continue
            size += max(expected, len(event.line) + len(event.payload))
            line, event = event.line, replace(event, line=b"")
            if is_replayed(received.message) or self._sampling.keeps(event):
                part.events.append(event)
            else:
                part.sampled_out.append(replace(event, payload=b""))
            if received.message_id not in archived:
                part.stored.append(received)
                yield line

    def _deliver(self, part: _Part, deadline: float) -> Failures:
        """Deliver the part, and note what is in the archive and stays on the queue."""
        failures = self._delivery.deliver(part.events, deadline)
        left = [received for received in part.stored if received.message_id in failures]
        self._note(left, {event.source.message_id: event.summary for event in part.events})
        return failures

    def _note(self, left: Sequence[Received], summaries: Mapping[str, EventSummary]) -> None:
        if left:
            self._archive.note(left, summaries)

    def _settle(self, batch: Sequence[Received], keys: Sequence[str], failures: Failures, ledger: _Ledger) -> Written:
        """Dead-letter what can never be delivered, record how events ended, and report what stays on the queue."""
        moved = {one.message_id for one in batch if one.message_id in failures and self._dead_letter(one, failures)}
        failures = failures | self._record(batch, failures, moved, ledger)
        failed = [received for received in batch if received.message_id in failures]
        reports = [Failure(one.message_id, one.trace_id, failures[one.message_id]) for one in failed]
        return Written(
            received=len(batch),
            archive_keys=keys,
            failures=[report for report in reports if report.message_id not in moved],
            dead_lettered=[report for report in reports if report.message_id in moved],
            sampled_out=len(ledger.sampled_out - failures.keys()),
        )

    def _record(self, batch: Sequence[Received], failures: Failures, moved: set[str], ledger: _Ledger) -> Failures:
        """Leave receipts. If S3 does not take them, what was delivered stays on the queue, and is delivered again.

        What was dead-lettered does not: it would be so twice, and its copy in S3 says the same.
        """
        delivered = [one for one in batch if one.message_id not in failures]
        ends = [(SAMPLED_OUT if one.message_id in ledger.sampled_out else IN_MLFLOW, one) for one in delivered]
        ends += [(DEAD_LETTERED, one) for one in batch if one.message_id in moved]
        try:
            self._archive.record([Receipt(end, _summary(one, ledger)) for end, one in ends])
        except Transient as error:
            left = {one.message_id for one in delivered}
            self._note([one for one in ledger.archived if one.message_id in left], ledger.summaries)
            return _all_failed(delivered, error)
        return {}

    def _dead_letter(self, received: Received, failures: Failures) -> bool:
        """Send a message to the dead-letter queue, if it is poison. Tell whether it is there now."""
        return self._dead_letters is not None and self._dead_letters.take(received, failures[received.message_id])


def _replayed(batch: Sequence[Received]) -> frozenset[str]:
    """Return the ids of messages that somebody sent again from the archive."""
    return frozenset(received.message_id for received in batch if is_replayed(received.message))


def _changed(events: Sequence[Decoded], failures: Failures) -> list[Changed]:
    return [
        Changed(event.source.message_id, event.source.trace_id, event.changes)
        for event in events
        if event.changes and event.source.message_id not in failures
    ]


def _summary(received: Received, ledger: _Ledger) -> EventSummary:
    return ledger.summaries.get(received.message_id) or summarise_message(received.message)


def _all_failed(messages: Iterable[Received], error: OffpathError) -> Failures:
    return {received.message_id: error for received in messages}
