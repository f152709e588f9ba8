"""Puts traces on the queue, and when that fails, where they can be found again."""

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from offpath import spill
from offpath.errors import Transient
from offpath.event import ClaimStore, Message, inline, seal
from offpath.otlp import EndedTrace, encode

SQS_MAX_BATCH = 10
SQS_MAX_BYTES = 1024 * 1024
FIRST_RETRY_SECONDS = 0.05
SUSPENSION_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Queue(Protocol):
    """Takes messages."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; those not taken come back. Raises Transient."""


class SpillStore(Protocol):
    """Keeps messages that the queue could not take."""

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key. Raises Transient."""


class Publisher:
    """Sends ended traces: to the queue within a budget of time, else to the spill store, else to the log.

    `publish` never raises: a prediction is answered whatever becomes of its trace. After a queue has failed, it is left
    alone for five seconds, so that an outage costs one budget and not one for every request.
    """

    def __init__(  # noqa: PLR0913
        self,
        queue: Queue,
        claims: ClaimStore,
        spill_store: SpillStore,
        *,
        queue_name: str,
        experiment: str,
        max_message_bytes: int,
        budget_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        last_resort: Callable[[str], None] = print,
    ) -> None:
        self._queue = queue
        self._claims = claims
        self._spill_store = spill_store
        self._queue_name = queue_name
        self._experiment = experiment
        self._max_message_bytes = max_message_bytes
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._sleep = sleep
        self._last_resort = last_resort
        self._suspended_until = 0.0

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        """Send the traces. Does not raise; what SQS did not take is in the spill store or in the log."""
        messages = map(self._message, traces)
        for batch in _batches([message for message in messages if message]):
            for message in self._send(batch):
                self._spill(message)

    def _message(self, trace: EndedTrace) -> Message | None:
        try:
            event = encode(trace, self._experiment)
        except Exception:
            # No input is known that OpenTelemetry's encoder refuses; one such trace must not take others with it.
            _log.exception("event %s cannot be encoded and is lost", trace.emission)
            return None
        try:
            return seal(event, self._claims, self._max_message_bytes)
        except Transient as error:
            _log.warning("trace %s is not checked in: %s", event.trace_id, error)
            return inline(event)

    def _send(self, batch: Sequence[Message]) -> Sequence[Message]:
        """The messages that the queue did not take."""
        now = self._clock()
        if now < self._suspended_until or sum(message.size for message in batch) > SQS_MAX_BYTES:
            return batch
        deadline, delay = now + self._budget_seconds, FIRST_RETRY_SECONDS
        while batch := self._try(batch):
            pause = delay * random.uniform(0.5, 1.0)  # noqa: S311
            if self._clock() + pause >= deadline:
                self._suspended_until = self._clock() + SUSPENSION_SECONDS
                break
            self._sleep(pause)
            delay *= 2
        return batch

    def _try(self, batch: Sequence[Message]) -> Sequence[Message]:
        try:
            return self._queue.send(batch)
        except Transient as error:
            _log.warning("%s", error)
            return batch

    def _spill(self, message: Message) -> None:
        key = spill.key(self._queue_name, message)
        try:
            self._spill_store.put(key, spill.dump(message))
            _log.warning("trace %s could not be queued; it is kept as %s", message.attributes["trace_id"], key)
        except Transient as error:
            trace_id = message.attributes["trace_id"]
            _log.error("trace %s could be neither queued nor kept in S3 (%s): it follows here", trace_id, error)
            for line in spill.to_log(message):
                self._last_resort(line)


def _batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in order, at most ten and at most 1 MiB together; one that is larger stands alone."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == SQS_MAX_BATCH or size + message.size > SQS_MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
