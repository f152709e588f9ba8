"""What Lambda's event source mapping does between a queue and the trace writer.

Batches by size, window and payload; deletes what succeeded; leaves what failed to its visibility timeout, after which
SQS hands it out again or moves it to the dead-letter queue.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from local.aws.lambda_event import LocalContext, failed_ids, sqs_event
from local.settings import PollerSettings
from offpath.contracts.errors import Transient

# Lambda's limit for the payload of an invocation.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0)

Received = Mapping[str, Any]
Handler = Callable[[dict[str, Any], Any], Any]

log = logging.getLogger("poller")


class Queue(Protocol):
    """An SQS queue, as a consumer sees it; messages are as `ReceiveMessage` gives them. All may raise Transient."""

    name: str

    def receive(self, limit: int, wait_seconds: int) -> Sequence[Received]:
        """At most `limit` messages; waits so long for the first one."""

    def delete(self, messages: Sequence[Received]) -> None:
        """Take these off the queue."""

    def release(self, messages: Sequence[Received]) -> None:
        """Let these be received again at once."""


class Poller:
    """Hands batches to a function until it is told to stop."""

    def __init__(self, queue: Queue, handler: Handler, settings: PollerSettings) -> None:
        self._queue = queue
        self._handler = handler
        self._settings = settings
        self._failed: dict[str, Received] = {}
        self._stopping = False
        self._troubled = 0

    def stop(self) -> None:
        """Take what is in hand to its end, and no more."""
        self._stopping = True

    def run(self) -> None:
        """Poll until `stop`, whatever the handler, SQS or S3 do."""
        while not self._stopping:
            try:
                self.poll()
                self._recovered()
            except Transient as error:
                self._back_off(error)

    def poll(self) -> int:
        """Take one batch from the queue to the handler, in as many invocations as its size asks for; its length."""
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
        failed, self._failed = list(self._failed.values()), {}
        self._queue.release(failed)

    def _collect(self) -> list[Received]:
        batch = self._receive(min(10, self._settings.batch_size), wait_seconds=1)
        closes = time.monotonic() + self._settings.batch_window_seconds
        while batch and len(batch) < self._settings.batch_size and time.monotonic() < closes and not self._stopping:
            try:
                more = self._receive(self._settings.batch_size - len(batch))
            except Transient:  # what is in hand is delivered first; the trouble shows again after it
                break
            batch += more
            if not more:
                time.sleep(0.05)
        return batch

    def _receive(self, limit: int, wait_seconds: int = 0) -> list[Received]:
        received: list[Received] = []
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

    def _deliver(self, batch: Sequence[Received], deadline: float) -> None:
        for part in _payloads(batch):
            left = deadline - time.monotonic()
            self._invoke(part, min(left, self._settings.writer_timeout_seconds))

    def _invoke(self, batch: Sequence[Received], seconds: float) -> None:
        handles = {message["MessageId"]: {"ReceiptHandle": message["ReceiptHandle"]} for message in batch}
        self._failed |= handles  # until it is known to have succeeded: an interrupted invocation has failed
        failed = self._failures(sqs_event(batch, self._queue.name), list(handles), seconds)
        self._queue.delete([handle for message_id, handle in handles.items() if message_id not in failed])
        for message_id in handles.keys() - failed:
            del self._failed[message_id]

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
        if not self._troubled:
            log.warning("polling is in trouble, and goes on trying: %s", error)
        time.sleep(BACKOFF_SECONDS[min(self._troubled, len(BACKOFF_SECONDS) - 1)])
        self._troubled += 1

    def _recovered(self) -> None:
        if self._troubled:
            log.warning("polling works again")
        self._troubled = 0


def _payloads(batch: Sequence[Received]) -> Iterator[list[Received]]:
    part: list[Received] = []
    size = 0
    for message in batch:
        weight = len(message["Body"].encode())
        if part and size + weight > MAX_PAYLOAD_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += weight
    if part:
        yield part
