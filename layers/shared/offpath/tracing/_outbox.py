"""The traces that wait for Lambda's extension, and those that are being published."""

import threading
import time
from collections.abc import Sequence
from functools import partial

from offpath.tracing._otlp import EndedTrace, size_of
from offpath.tracing._workers import Publisher, guarded

# With less time than this, SQS and S3 cannot each be tried: what is not sent in time is put into the log.
AMPLE_SECONDS = 15.0
# What the log needs, at the end of an invocation.
LOG_SECONDS = 0.2
_POLL_SECONDS = 0.002


class Outbox:
    """Publishes what waits, when it is told to. bytes: how many wait, roughly."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.RLock()  # the garbage collector may end a span, and submit its trace, within any line
        self._waiting: list[EndedTrace] = []
        self._in_hand: dict[int, Sequence[EndedTrace]] = {}  # by their objects' ids
        self.bytes = 0

    def put(self, traces: Sequence[EndedTrace]) -> None:
        """Let the traces wait."""
        with self._lock:
            self._waiting.extend(traces)
            self.bytes += sum(map(size_of, traces))

    def publish(self) -> None:
        """Publish what waits, here and now."""
        self._publish(self._take())

    def publish_by(self, deadline: float) -> bool:
        """Publish what waits, and put it into the log if that does not end in time: Lambda would end the process.

        deadline: on the monotonic clock. Return whether it was published in time.
        """
        batch = self._take()
        seconds = deadline - time.monotonic()
        if not batch or seconds >= AMPLE_SECONDS:
            self._publish(batch)
            return True
        sending = threading.Thread(target=self._publish, args=[batch], name="offpath-last-moment", daemon=True)
        try:
            sending.start()
        except RuntimeError:  # the interpreter is about to end, and starts no thread any more
            self._publish(batch)
            return True
        sending.join(max(0.0, seconds - LOG_SECONDS))
        return not (sending.is_alive() and self._log(batch))

    def close(self, timeout_seconds: float) -> bool:
        """Publish what waits, and wait for what is in hand. What is not published in time goes to the log."""
        deadline = time.monotonic() + timeout_seconds
        is_published = self.publish_by(deadline)
        while self._in_hand and time.monotonic() < deadline - LOG_SECONDS:
            time.sleep(_POLL_SECONDS)
        left = [batch for batch in [*self._in_hand.values()] if self._log(batch)]
        return is_published and not left

    def _take(self) -> Sequence[EndedTrace]:
        with self._lock:
            batch, self._waiting, self.bytes = self._waiting, [], 0
            if batch:
                self._in_hand[id(batch)] = batch
        return batch

    def _publish(self, batch: Sequence[EndedTrace]) -> None:
        if batch:
            guarded(partial(self._publisher.publish, batch))
            self._in_hand.pop(id(batch), None)

    def _log(self, batch: Sequence[EndedTrace]) -> bool:
        """Put a batch in hand into the log, and return True, unless it has been published meanwhile."""
        if self._in_hand.pop(id(batch), None) is None:
            return False
        guarded(partial(self._publisher.log_unsent, batch))
        return True
