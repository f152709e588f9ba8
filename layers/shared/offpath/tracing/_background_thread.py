"""Run work in threads of their own, outside Lambda."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Self

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._trace_thread import IDLE_SECONDS, TraceThread
from offpath.tracing._workers import MOST_BYTES, Handler, Publisher, guarded


class BackgroundThread:
    """Daemon threads that publish traces, and one for the tasks: however long a task takes, it holds up no trace.

    One thread sends to the queue. What comes while more than `most_bytes` wait for it is kept in the spill store by a
    second thread, and beyond that again it goes to the log. `close` publishes what is left; what it has no time for,
    the batch in hand included, goes to the log.
    """

    def __init__(self, publisher: Publisher, idle_seconds: float = IDLE_SECONDS, most_bytes: int = MOST_BYTES) -> None:
        self._publisher = publisher
        self._tasks = _PeriodicTaskThread(idle_seconds)
        self._spilling = TraceThread("offpath-spill", publisher.spill, most_bytes, self._log)
        self._sending = TraceThread(
            "offpath", publisher.publish, most_bytes, self._spilling.submit, after_batch=self._tasks.wake
        )

    def start(self) -> Self:
        """Start the threads, and return this worker."""
        for thread in (self._tasks, self._spilling, self._sending):
            thread.start()
        return self

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace soon. Returns at once."""
        self._sending.submit(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after each batch of traces, and every second when there are none."""
        self._tasks.add(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return the handler as it is: these threads do not depend on invocations."""
        return handler

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what was submitted so far is published. Return False if it was not in time.

        Within one of the threads themselves, where a finalizer may end a span, return False at once.
        """
        if self._sending.is_running_this or self._spilling.is_running_this:
            return False
        published, reached = list[bool](), threading.Event()

        def notify(done: bool) -> None:
            published.append(done)
            reached.set()

        self.when_published(notify)
        return reached.wait(timeout_seconds) and published[0]

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this, in another thread, once what was submitted so far is published; with False if it cannot be."""

        def then_spilled(sent: bool) -> None:
            if sent:
                self._spilling.when_published(notify)
            else:
                notify(False)

        self._sending.when_published(then_spilled)

    def close(self, timeout_seconds: float = 10.0) -> bool:
        """Publish what is left and stop. Return False if that did not end in time; the rest is then logged."""
        deadline = time.monotonic() + timeout_seconds
        self._tasks.end(timeout_seconds / 2)  # first, as tasks trace too
        left = [
            trace
            for thread in (self._sending, self._spilling)
            for trace in thread.end(max(0.0, deadline - time.monotonic()))
        ]
        if left:
            guarded(partial(self._publisher.log_unsent, left))
        return not left

    def _log(self, trace: EndedTrace) -> None:
        guarded(partial(self._publisher.log_unsent, [trace]))


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
        if threading.current_thread() is not self._thread:  # a task may shut tracing down
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.wait(self._idle_seconds)
            self._woken.clear()
            for task in self._periodic_tasks:
                if not self._ended.is_set():
                    guarded(task)
