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
        if not self._put(trace, size_of(trace)):
            self._beyond(trace)

    def when_published(self, notify: Notify) -> None:
        """Call this once what was submitted so far is published, with True, or with False if it cannot be."""
        if not self._put(notify, 0):
            notify(False)

    @property
    def is_running_this(self) -> bool:
        """Whether the caller is within this thread, which cannot wait for itself."""
        return threading.current_thread() is self._thread

    def end(self, timeout_seconds: float) -> list[EndedTrace]:
        """Publish what is left, and end the thread. Return what it did not come to in time, the batch in hand first."""
        with self._lock:
            self._is_ended = True
            self._entries.put(None)
        if not self.is_running_this:
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

    def _put(self, entry: EndedTrace | Notify, size: int) -> bool:
        """Let the entry wait for the thread. Return False if that has ended, or if too many bytes wait."""
        with self._lock:  # so that none comes between the end and its last look
            if self._is_ended or (self._bytes and size and self._bytes + size > self._most_bytes):
                return False
            self._bytes += size
            self._entries.put(entry)
            return True

    def _run(self) -> None:
        while True:
            batch, mark = self._next_batch()
            if batch:
                guarded(partial(self._publish, batch))
                self._in_hand = ()
                with self._lock:
                    self._bytes -= sum(map(size_of, batch))
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
