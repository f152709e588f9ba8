"""Give each forked child a worker of its own."""

import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import BackgroundWorker, Handler


class ProcessWorker:
    """The worker of this process, whichever process that is: it shares nothing with that of a parent.

    What waited as the process forked is the parent's to publish. A child's worker is made for its first trace, or at
    once if there are periodic tasks.

    worker: of the process that this is made in. in_child: returns that of a child, and starts it.
    """

    def __init__(self, worker: BackgroundWorker, in_child: Callable[[], BackgroundWorker]) -> None:
        self._worker: BackgroundWorker | None = worker
        self._in_child = in_child
        self._periodic_tasks: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._is_closed = False
        self._kept: list[BackgroundWorker] = []  # of parents: to collect one could wait for a lock for ever
        self._at_end: Callable[[], object] | None = None
        self._is_known_to_multiprocessing = False

    def begin_anew(self) -> None:
        """Leave the worker to the parent: this is a child."""
        self._lock = threading.RLock()
        if self._is_closed:
            return
        if self._worker is not None:
            self._kept.append(self._worker)
        self._worker = None
        self._tell_multiprocessing()
        if self._periodic_tasks:
            self._current()

    def at_end(self, end: Callable[[], object]) -> None:
        """Call this before a child of `multiprocessing` ends: that knows no `atexit`."""
        self._at_end = end

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace soon. Returns at once."""
        (self._worker or self._current()).submit(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task again and again between traces, in children, too."""
        worker = self._current()
        self._periodic_tasks.append(task)
        worker.add_periodic_task(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return the handler as this process's worker wraps it. In a child it is as it was."""
        owner = self._current()
        wrapped = owner.wrap(handler)
        if wrapped is handler:
            return handler

        @wraps(handler, updated=())
        def handle(event: Any, context: Any) -> Any:
            return (wrapped if self._worker is owner else handler)(event, context)

        return handle

    def flush(self, timeout_seconds: float) -> bool:
        """Publish what was submitted so far. Return False if that did not end in time."""
        return self._worker is None or self._worker.flush(timeout_seconds)

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this, from whichever thread, once what was submitted so far is published; with False if it cannot be."""
        if self._worker is None:
            notify(True)
        else:
            self._worker.when_published(notify)

    def close(self, timeout_seconds: float) -> bool:
        """Publish what is left and stop. Return False if that did not end in time."""
        self._is_closed = True
        return self._worker is None or self._worker.close(timeout_seconds)

    def _current(self) -> BackgroundWorker:
        with self._lock:
            if self._worker is None:
                worker = self._in_child()
                for task in self._periodic_tasks:
                    worker.add_periodic_task(task)
                if self._is_closed:
                    worker.close(0.0)
                self._worker = worker
            return self._worker

    def _tell_multiprocessing(self) -> None:
        """Let a child of `multiprocessing`, which is about to start, send what is left when it ends."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None and self._at_end is not None and not self._is_known_to_multiprocessing:
            self._is_known_to_multiprocessing = True
            end = self._at_end
            util.register_after_fork(self, lambda _: util.Finalize(None, end, exitpriority=0))
