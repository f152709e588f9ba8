"""A thread that takes traces out of the process, a batch at a time."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from offpath.tracing._otlp import EndedTrace, size_of
from offpath.tracing._workers import RESPONSE_HEAD_START_SECONDS, Publish, guarded

MAX_BATCH = 10
IDLE_SECONDS = 1.0

Notify = Callable[[bool], None]


class TraceThread:
    """A daemon thread that publishes up to ten traces at a time.

    publish: takes a batch. beyond: takes a trace that comes while more than `most_bytes` wait; it must be quick.
    after_batch: is called after each batch.
    """

    def __init__(
        self,
        name: str,
        publish: Publish,
        most_bytes: int,
        beyond: Callable[[EndedTrace], None],
        after_batch: Callable[[], None] = lambda: None,
    ) -> None:
        self._publish = publish
        self._most_bytes = most_bytes
        self._beyond = beyond
        self._after_batch = after_batch
        self._entries: queue.SimpleQueue[EndedTrace | Notify | None] = queue.SimpleQueue()
        self._bytes = 0  # of the traces that wait
        self._lock = threading.RLock()  # the garbage collector may end a span, and submit its trace, within any line
        self._in_hand: Sequence[EndedTrace] = ()
        self._is_ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace soon, or hand it on if too much waits or the thread has ended. Returns at once."""
        if not self._is_ended and self._add_bytes(size_of(trace)):
            self._entries.put(trace)
        else:
            self._beyond(trace)

    def when_published(self, notify: Notify) -> None:
        """Call this once what was submitted so far is published, with True, or with False if it cannot be."""
        if self._is_ended:
            notify(False)
        else:
            self._entries.put(notify)

    def end(self, timeout_seconds: float) -> list[EndedTrace]:
        """Publish what is left, and end the thread. Return what it did not come to in time, the batch in hand first."""
        self._is_ended = True
        self._entries.put(None)
        self._thread.join(timeout_seconds)
        left = [*self._in_hand]
        for entry in self._drained():
            if isinstance(entry, EndedTrace):
                left.append(entry)
            else:
                guarded(partial(entry, False))  # its event loop may be closed
        return left

    def _drained(self) -> list[EndedTrace | Notify]:
        """Take what the thread has not got to yet."""
        entries: list[EndedTrace | Notify] = []
        try:
            while True:
                if (entry := self._entries.get_nowait()) is not None:
                    entries.append(entry)
        except queue.Empty:
            self._entries.put(None)
        return entries

    def _add_bytes(self, change: int) -> bool:
        """Count the bytes. Return False, and count nothing, if that were too many."""
        with self._lock:
            if self._bytes + change > self._most_bytes and change > 0 and self._bytes:
                return False
            self._bytes += change
            return True

    def _run(self) -> None:
        while True:
            batch, mark = self._next_batch()
            if batch:
                guarded(partial(self._publish, batch))
                self._in_hand = ()
                self._add_bytes(-sum(map(size_of, batch)))
                self._after_batch()
            if mark is None:
                return
            guarded(partial(mark, True))

    def _next_batch(self) -> tuple[list[EndedTrace], Notify | None]:
        """Return traces, and the mark that stood after them: whom to notify, or None for the end."""
        batch: list[EndedTrace] = []
        self._in_hand = batch
        try:
            while len(batch) < MAX_BATCH:
                entry = self._entries.get(timeout=0 if batch else IDLE_SECONDS)
                if not isinstance(entry, EndedTrace):
                    return batch, entry
                batch.append(entry)
                if len(batch) == 1:
                    time.sleep(RESPONSE_HEAD_START_SECONDS)
        except queue.Empty:
            pass
        return batch, lambda _: None
