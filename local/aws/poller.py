"""Poll a queue for the trace writer, as Lambda's event source mapping does.

It makes batches by size, window and payload; deletes what succeeded; and leaves what failed to its visibility timeout,
after which SQS hands it out again or moves it to the dead-letter queue.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from local.aws.lambda_event import LocalContext, SqsMessage, failed_ids, sqs_event
from local.settings import PollerSettings
from offpath.aws.sqs import batches
from offpath.contracts.errors import Transient
from offpath.retry import Backoff

# Lambda's limit for the payload of an invocation.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
# Of the queue and the bucket, while a poll fails.
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=5.0)

Handler = Callable[[dict[str, Any], Any], Any]

log = logging.getLogger("poller")


class Consumer(Protocol):
    """Take messages off a queue. Each method may raise Transient."""

    name: str

    def receive(self, limit: int, wait_seconds: int) -> Sequence[SqsMessage]:
        """Return at most `limit` messages; wait so long for the first one."""

    def delete(self, messages: Sequence[SqsMessage]) -> None:
        """Take these off the queue."""

    def release(self, messages: Sequence[SqsMessage]) -> None:
        """Let these be received again at once."""


class Poller:
    """Hand batches to a function until it is told to stop. between: called after each poll."""

    def __init__(
        self,
        queue: Consumer,
        handler: Handler,
        settings: PollerSettings,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._settings = settings
        self._between = between
        self._unfinished: dict[str, SqsMessage] = {}
        self._stopping = False
        self._failing = False
        self._pauses = BACKOFF.pauses()

    def stop(self) -> None:
        """Finish the batch that is being delivered, and poll no more."""
        self._stopping = True

    def run(self) -> None:
        """Poll until `stop`, whatever the handler, SQS or S3 do."""
        while not self._stopping:
            try:
                self.poll()
                self._note_success()
            except Transient as error:
                self._back_off(error)
            if not self._stopping:
                self._between()

    def poll(self) -> int:
        """Take one batch from the queue to the handler, in as many invocations as its size needs; return its length."""
        batch = self._collect()
        self._deliver(batch, time.monotonic() + self._settings.writer_timeout_seconds * len(batch))
        return len(batch)

    def drain(self) -> None:
        """Try everything on the queue once more, for a bounded time; what fails can be received again afterwards."""
        deadline = time.monotonic() + self._settings.drain_seconds
        self.release()
        while time.monotonic() < deadline and (batch := self._receive(self._settings.batch_size)):
            self._deliver(batch, deadline)
        self.release()

    def release(self) -> None:
        """Let what failed be received again at once."""
        failed, self._unfinished = list(self._unfinished.values()), {}
        self._queue.release(failed)

    def _collect(self) -> list[SqsMessage]:
        batch = self._receive(min(10, self._settings.batch_size), wait_seconds=1)
        closes = time.monotonic() + self._settings.batch_window_seconds
        while batch and len(batch) < self._settings.batch_size and time.monotonic() < closes and not self._stopping:
            try:
                more = self._receive(self._settings.batch_size - len(batch))
            except Transient:  # what was received is delivered first; the next poll fails again if it has to
                break
            batch += more
            if not more:
                time.sleep(0.05)
        return batch

    def _receive(self, limit: int, wait_seconds: int = 0) -> list[SqsMessage]:
        received: list[SqsMessage] = []
        while len(received) < limit:
            try:
                some = self._queue.receive(min(10, limit - len(received)), wait_seconds)
            except Transient:
                if received:
                    break
                raise
            received += some
            if not some or wait_seconds:
                break
        return received

    def _deliver(self, batch: Sequence[SqsMessage], deadline: float) -> None:
        for payload in _payloads(batch):
            left = deadline - time.monotonic()
            self._invoke(payload, min(left, self._settings.writer_timeout_seconds))

    def _invoke(self, batch: Sequence[SqsMessage], seconds: float) -> None:
        handles = {message["MessageId"]: {"ReceiptHandle": message["ReceiptHandle"]} for message in batch}
        self._unfinished |= handles  # an interrupted invocation has failed
        failed = self._failures(sqs_event(batch, self._queue.name), list(handles), seconds)
        self._queue.delete([handle for message_id, handle in handles.items() if message_id not in failed])
        for message_id in handles.keys() - failed:
            del self._unfinished[message_id]

    def _failures(self, event: dict[str, Any], ids: Sequence[str], seconds: float) -> set[str]:
        context = LocalContext("offpath-trace-writer", time.monotonic() + seconds)
        try:
            failed = failed_ids(self._handler(event, context), ids)
        except Exception:
            log.exception("the handler failed: %d message(s) go back to the queue", len(ids))
            return set(ids)
        if failed:
            log.warning("%d of %d message(s) go back to the queue", len(failed), len(ids))
        return failed

    def _back_off(self, error: Transient) -> None:
        if not self._failing:
            log.warning("polling fails, and is retried: %s", error)
        self._failing = True
        time.sleep(next(self._pauses))

    def _note_success(self) -> None:
        if self._failing:
            log.warning("polling works again")
            self._failing, self._pauses = False, BACKOFF.pauses()


def _payloads(batch: Sequence[SqsMessage]) -> Iterator[list[SqsMessage]]:
    return batches(batch, lambda message: len(message["Body"].encode()), len(batch), MAX_PAYLOAD_BYTES)
