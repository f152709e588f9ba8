"""Run work in threads of their own, outside Lambda."""

import atexit
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Self

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import RESPONSE_HEAD_START_SECONDS, Handler, Publish, guarded

IDLE_SECONDS = 1.0
MAX_BATCH = 10


class BackgroundThread:
    """A daemon thread that publishes up to ten traces at a time, and a second one for the tasks.

    However long a task takes, it holds up no trace. At exit the first thread publishes what is left; what it had no
    time for is handed to `log_unsent`. `start` starts both.
    """

    def __init__(self, publish: Publish, log_unsent: Publish, idle_seconds: float = IDLE_SECONDS) -> None:
        self._publish = publish
        self._log_unsent = log_unsent
        self._idle_seconds = idle_seconds
        self._traces: queue.SimpleQueue[EndedTrace | threading.Event | None] = queue.SimpleQueue()
        self._periodic_tasks = _PeriodicTaskThread(idle_seconds)
        self._thread = threading.Thread(target=self._run, name="offpath", daemon=True)

    def start(self) -> Self:
        """Start the threads, and return this worker."""
        self._periodic_tasks.start()
        self._thread.start()
        atexit.register(self.close)
        return self

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace soon. Returns at once."""
        self._traces.put(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after each batch of traces, and every second when there are none."""
        self._periodic_tasks.add(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return the handler as it is: this thread does not depend on invocations."""
        return handler

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was submitted so far is published. Return False if it was not in time."""
        reached = threading.Event()
        self._traces.put(reached)
        return reached.wait(timeout_seconds)

    def close(self, timeout_seconds: float = 10.0) -> bool:
        """Publish what is left and stop. Return False if that did not end in time; the rest is then logged."""
        atexit.unregister(self.close)
        deadline = time.monotonic() + timeout_seconds
        self._periodic_tasks.end(timeout_seconds / 2)  # first, as tasks trace too
        self._traces.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if not self._thread.is_alive():
            return True
        guarded(partial(self._log_unsent, self._waiting()))
        return False

    def _waiting(self) -> list[EndedTrace]:
        """Take what the thread has not got to yet."""
        waiting: list[EndedTrace] = []
        try:
            while True:
                entry = self._traces.get_nowait()
                if isinstance(entry, EndedTrace):
                    waiting.append(entry)
        except queue.Empty:
            self._traces.put(None)
        return waiting

    def _run(self) -> None:
        while True:
            batch, mark = self._next_batch()
            if batch:
                guarded(partial(self._publish, batch))
                self._periodic_tasks.wake()
            if mark is None:
                return
            mark.set()

    def _next_batch(self) -> tuple[list[EndedTrace], threading.Event | None]:
        """Return traces, and the mark that stood behind them: an event that someone waits for, or None for the end."""
        batch: list[EndedTrace] = []
        try:
            while len(batch) < MAX_BATCH:
                entry = self._traces.get(timeout=0 if batch else self._idle_seconds)
                if not isinstance(entry, EndedTrace):
                    return batch, entry
                batch.append(entry)
                if len(batch) == 1:
                    time.sleep(RESPONSE_HEAD_START_SECONDS)
        except queue.Empty:
            pass
        return batch, threading.Event()


class _PeriodicTaskThread:
    """A daemon thread that runs the tasks when it is woken, and else every so many seconds."""

    def __init__(self, idle_seconds: float) -> None:
        self._periodic_tasks: list[Callable[[], None]] = []
        self._idle_seconds = idle_seconds
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="offpath-tasks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, task: Callable[[], None]) -> None:
        self._periodic_tasks.append(task)

    def wake(self) -> None:
        self._woken.set()

    def end(self, timeout_seconds: float) -> None:
        """Begin no task any more, and wait for the one that runs."""
        self._ended.set()
        self._woken.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.wait(self._idle_seconds)
            self._woken.clear()
            for task in self._periodic_tasks:
                if not self._ended.is_set():
                    guarded(task)
