"""Put events on the queue again, for the trace writer to deliver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from offpath.aws.sqs import SQS_MAX_BATCH, SQS_MAX_BYTES, batches
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from offpath.contracts.replayed import as_replayed
from offpath.contracts.trace_event import ClaimStore, TraceEvent, encode_message
from offpath.retry import Backoff, Clock, retry
from offpath_cli.replay.event import ReplayEvent
from offpath_cli.replay.mlflow_target import NO_EXPERIMENT

_MAX_MESSAGE_BYTES = 900_000
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=20.0, jitter=0.5)
PATIENCE_SECONDS = 300.0


class Producer(Protocol):
    """Sends to a queue."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB, and return those not taken. Raises Transient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTarget:
    """Makes messages of events, and sends them.

    claims: keeps large bodies. is_archived: whether the events are in the archive already; then the writer does not put
    them there again. done: is called with each event that is on the queue. patience_seconds: how long SQS and S3 are
    waited for while they take nothing.
    """

    producer: Producer
    claims: ClaimStore
    clock: Clock
    is_archived: bool
    done: Callable[[ReplayEvent], None]
    patience_seconds: float = PATIENCE_SECONDS
    most_events: ClassVar[int] = 100
    most_bytes: ClassVar[int] = 16_000_000

    def close(self) -> None:
        """Do nothing: all was delivered."""

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        """Put these on the queue. Raises Transient."""
        left: dict[int, str] = {}
        made = [(index, self._message(event)) for index, event in enumerate(events)]
        left |= {index: NO_EXPERIMENT for index, message in made if message is None}
        ready = [(index, message) for index, message in made if message is not None]
        for batch in batches(ready, lambda one: one[1].size, SQS_MAX_BATCH, SQS_MAX_BYTES):
            self._send([message for _, message in batch])
            for index, _ in batch:
                self.done(events[index])
        return left

    def _message(self, event: ReplayEvent) -> Message | None:
        if not event.experiment:
            return None
        given = TraceEvent(event.trace_id, event.experiment, event.body)
        message = retry(lambda: encode_message(given, self.claims, _MAX_MESSAGE_BYTES), self._backoff(), self.clock)
        return as_replayed(message) if self.is_archived else message

    def _send(self, messages: Sequence[Message]) -> None:
        """Send all of these, again and again. Raises Transient."""
        pending = list(messages)

        def send() -> None:
            nonlocal pending
            pending = self.producer.send(pending)
            if pending:
                raise Transient(f"SQS does not take {len(pending)} message(s)")

        retry(send, self._backoff(), self.clock)

    def _backoff(self) -> Backoff:
        return replace(BACKOFF, budget_seconds=self.patience_seconds)
