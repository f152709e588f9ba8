"""Run the work that no request waits for. `offpath.tracing._lambda_extension` does so in Lambda."""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Protocol

from offpath.tracing._otlp import EndedTrace

Publish = Callable[[Sequence[EndedTrace]], None]
Handler = Callable[[Any, Any], Any]

# The runtime client holds the GIL while it posts the response: a flush that starts at once would delay that post.
RESPONSE_HEAD_START_SECONDS = 0.002
IDLE_SECONDS = 1.0
MAX_BATCH = 10

_log = logging.getLogger(__name__)


class BackgroundWorker(Protocol):
    """Publishes traces, and runs tasks, off the request path."""

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace soon. Returns at once."""

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task again and again between traces; it decides itself how often it does something."""

    def wrap(self, handler: Handler) -> Handler:
        """Return the Lambda handler so that this worker knows of its invocations what it must."""

    def flush(self, timeout_seconds: float) -> bool:
        """Publish what was submitted so far. Return False if that did not end in time."""

    def close(self, timeout_seconds: float) -> bool:
        """Publish what is left and stop. Return False if that did not end in time."""


class BackgroundThread:
    """A daemon thread that publishes up to ten traces at a time, and a second one for the tasks.

    However long a task takes, it holds up no trace. At exit the first thread publishes what is left; what it had no
    time for is handed to `log_unsent`.
    """

    def __init__(self, publish: Publish, log_unsent: Publish, idle_seconds: float = IDLE_SECONDS) -> None:
        self._publish = publish
        self._log_unsent = log_unsent
        self._idle_seconds = idle_seconds
        self._traces: queue.SimpleQueue[EndedTrace | threading.Event | None] = queue.SimpleQueue()
        self._periodic_tasks = _PeriodicTaskThread(idle_seconds)
        self._thread = threading.Thread(target=self._run, name="offpath", daemon=True)
        self._thread.start()
        atexit.register(self.close)

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


class InRequest:
    """Publishes while the request waits, with no thread at all: for a Lambda that refuses the extension."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._periodic_tasks: list[Callable[[], None]] = []

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace now."""
        guarded(partial(self._publish, [trace]))

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after every invocation, before its response."""
        self._periodic_tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return a handler that is followed by the tasks."""

        @wraps(handler, updated=())
        def handle(event: Any, context: Any) -> Any:
            try:
                return handler(event, context)
            finally:
                run_periodic_tasks(self._periodic_tasks)

        return handle

    def flush(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Return True: nothing is ever left."""
        return True

    def close(self, timeout_seconds: float) -> bool:
        """Return True: nothing is ever left."""
        return self.flush(timeout_seconds)


def run_periodic_tasks(tasks: Sequence[Callable[[], None]]) -> None:
    """Call each task, whatever the others do."""
    for task in tasks:
        guarded(task)


def guarded(work: Callable[[], None]) -> None:
    """Do the work, and log whatever it raises: a worker outlives a defect in any one piece of work."""
    try:
        work()
    except Exception:
        _log.exception("work off the request path failed")
