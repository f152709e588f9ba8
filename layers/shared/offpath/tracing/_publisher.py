"""Put traces on the queue, and when that fails, where they can be found again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from offpath.aws.sqs import SQS_MAX_BYTES, batches
from offpath.contracts import spilled
from offpath.contracts.errors import OffpathError
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, encode_message, inline_message
from offpath.retry import SYSTEM_CLOCK, Backoff, CircuitBreaker, CircuitOpen, Clock, attempts
from offpath.tracing._context import sending
from offpath.tracing._destinations import Destinations, GuardedClaims
from offpath.tracing._otlp import EndedTrace, encode

# Of the queue, within the budget that the settings give.
BACKOFF = Backoff(first_seconds=0.05, jitter=0.5)
PROBE = Backoff(first_seconds=0.0, tries=1)
# How long a service that failed is left alone, at first and at most: an outage costs one wait, not one a request, and
# its end is noticed soon after.
FIRST_CIRCUIT_SECONDS = 0.25
CIRCUIT_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """How traces are published.

    queue_name: part of a spilled message's key. experiment: of traces that name none. max_message_bytes: the size of a
    body above which a claim goes to the queue. budget_seconds: how long the queue is tried before a trace is spilled.
    service_name: of traces whose provider names none.
    """

    queue_name: str
    experiment: str
    max_message_bytes: int
    budget_seconds: float
    service_name: str = ""


class TracePublisher:
    """Sends ended traces: to the queue within a budget of time, else to the spill store, else to the log.

    `publish` never raises: a prediction is answered whatever becomes of its trace.
    """

    def __init__(self, destinations: Destinations, settings: PublisherSettings, clock: Clock = SYSTEM_CLOCK) -> None:
        self._destinations = destinations
        self._settings = settings
        self._clock = clock
        self._backoff = replace(BACKOFF, budget_seconds=settings.budget_seconds)
        self._queue_circuit = CircuitBreaker(clock.now, CIRCUIT_SECONDS, FIRST_CIRCUIT_SECONDS)
        self._store_circuit = CircuitBreaker(clock.now, CIRCUIT_SECONDS, FIRST_CIRCUIT_SECONDS)
        self._claims = GuardedClaims(destinations.claims, self._store_circuit)

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        """Send the traces. Does not raise; what SQS did not take is in the spill store or in the log."""
        with sending():
            messages = self._messages(traces, self._message)
            for batch in batches(messages, lambda message: message.size):
                for message in self._send(batch):
                    self._spill(message)

    def spill(self, traces: Sequence[EndedTrace]) -> None:
        """Keep the traces in the spill store, or else in the log, without asking the queue. Does not raise."""
        with sending():
            for message in self._messages(traces, inline_message):
                self._spill(message)

    def log_unsent(self, traces: Sequence[EndedTrace]) -> None:
        """Put the traces into the log, asking no service: for a process that has no time left. Does not raise."""
        with sending():
            for message in self._messages(traces, inline_message):
                self._log(message)

    def _messages(self, traces: Sequence[EndedTrace], made: Callable[[TraceEvent], Message]) -> list[Message]:
        messages = []
        for trace in traces:
            try:
                messages.append(made(encode(trace, self._settings.experiment, self._settings.service_name)))
            except Exception:
                # No input is known that cannot be encoded; one such trace must not take others with it.
                _log.exception("event %s cannot be encoded and is lost", trace.number)
        return messages

    def _message(self, event: TraceEvent) -> Message:
        try:
            return encode_message(event, self._claims, self._settings.max_message_bytes)
        except CircuitOpen:
            return inline_message(event)
        except Exception as error:
            _log.warning("trace %s cannot be put to S3 for its size, and goes another way: %s", event.trace_id, error)
            return inline_message(event)

    def _send(self, batch: Sequence[Message]) -> Sequence[Message]:
        """Return the messages that the queue did not take; if it took none, it is left alone for a while.

        While it is left alone, a batch now and then is a probe, which is sent once.
        """
        if sum(message.size for message in batch) > SQS_MAX_BYTES or not self._queue_circuit.allows_call():
            return batch
        left = batch
        for _ in attempts(self._backoff if self._queue_circuit.is_closed else PROBE, self._clock):
            left = self._try(left)
            if not left:
                break
        if len(left) < len(batch):
            self._queue_circuit.close()
        else:
            self._queue_circuit.open()
        return left

    def _try(self, batch: Sequence[Message]) -> Sequence[Message]:
        try:
            left = self._destinations.queue.send(batch)
        except OffpathError as error:
            _log.warning("%s", error)
            return batch
        except Exception:
            _log.exception("the queue's client failed")
            return batch
        if left:
            _log.warning("the queue did not take %d of %d message(s)", len(left), len(batch))
        return left

    def _spill(self, message: Message) -> None:
        if not self._keep(message):
            self._log(message)

    def _log(self, message: Message) -> None:
        try:
            for line in spilled.to_log(message):
                self._destinations.log(line)
        except Exception:  # nothing is left to try: standard output is closed, or its disk is full
            _log.exception("trace %s is lost: it could not be written to the log", message.attributes.get("trace_id"))

    def _keep(self, message: Message) -> bool:
        """Return whether the spill store has the message."""
        trace_id, key = message.attributes["trace_id"], spilled.key(self._settings.queue_name, message)
        try:
            self._store_circuit.call(partial(self._destinations.spill_store.put, key, spilled.dump(message)))
        except CircuitOpen:
            return False
        except Exception as error:
            _log.error("trace %s could be neither queued nor kept in S3 (%s): it follows here", trace_id, error)
            return False
        _log.warning("trace %s could not be queued; it is kept as %s", trace_id, key)
        return True
