"""Puts traces on the queue, and when that fails, where they can be found again."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from offpath.aws.sqs import SQS_MAX_BYTES, batches
from offpath.contracts import spilled
from offpath.contracts.errors import OffpathError
from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore, encode_message, inline_message
from offpath.tracing._otlp import EndedTrace, encode

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


class CircuitBreaker:
    """Leaves a service alone for five seconds after it has failed: an outage costs one wait, not one a request."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0

    def begin(self) -> None:
        """The service has failed."""
        self._until = self._clock() + SUSPENSION_SECONDS

    @property
    def holds(self) -> bool:
        """Whether to leave it alone now."""
        return self._clock() < self._until


class TracePublisher:
    """Sends ended traces: to the queue within a budget of time, else to the spill store, else to the log.

    `publish` never raises: a prediction is answered whatever becomes of its trace.
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
        self._queue_rests = CircuitBreaker(clock)
        self._store_rests = CircuitBreaker(clock)

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        """Send the traces. Does not raise; what SQS did not take is in the spill store or in the log."""
        messages = map(self._message, traces)
        for batch in batches([message for message in messages if message], lambda message: message.size):
            for message in self._send(batch):
                self._spill(message)

    def log_unsent(self, traces: Sequence[EndedTrace]) -> None:
        """Put the traces into the log, asking no service: for a process that has no time left. Does not raise."""
        self._store_rests.begin()
        self._queue_rests.begin()
        self.publish(traces)

    def _message(self, trace: EndedTrace) -> Message | None:
        try:
            event = encode(trace, self._experiment)
        except Exception:
            # No input is known that OpenTelemetry's encoder refuses; one such trace must not take others with it.
            _log.exception("event %s cannot be encoded and is lost", trace.number)
            return None
        if self._store_rests.holds:
            return inline_message(event)
        try:
            return encode_message(event, self._claims, self._max_message_bytes)
        except OffpathError as error:
            self._store_rests.begin()
            _log.warning("trace %s is not checked in: %s", event.trace_id, error)
            return inline_message(event)

    def _send(self, batch: Sequence[Message]) -> Sequence[Message]:
        """The messages that the queue did not take."""
        if self._queue_rests.holds or sum(message.size for message in batch) > SQS_MAX_BYTES:
            return batch
        deadline, delay = self._clock() + self._budget_seconds, FIRST_RETRY_SECONDS
        while batch := self._try(batch):
            pause = delay * random.uniform(0.5, 1.0)  # noqa: S311
            if self._clock() + pause >= deadline:
                self._queue_rests.begin()
                break
            self._sleep(pause)
            delay *= 2
        return batch

    def _try(self, batch: Sequence[Message]) -> Sequence[Message]:
        try:
            return self._queue.send(batch)
        except OffpathError as error:
            _log.warning("%s", error)
            return batch

    def _spill(self, message: Message) -> None:
        if self._keep(message):
            return
        for line in spilled.to_log(message):
            self._last_resort(line)

    def _keep(self, message: Message) -> bool:
        """Whether the spill store has the message."""
        trace_id, key = message.attributes["trace_id"], spilled.key(self._queue_name, message)
        if self._store_rests.holds:
            return False
        try:
            self._spill_store.put(key, spilled.dump(message))
        except OffpathError as error:
            self._store_rests.begin()
            _log.error("trace %s could be neither queued nor kept in S3 (%s): it follows here", trace_id, error)
            return False
        _log.warning("trace %s could not be queued; it is kept as %s", trace_id, key)
        return True
