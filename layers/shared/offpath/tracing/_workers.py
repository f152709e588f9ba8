"""Run the work that no request waits for.

`_background_thread` does so outside Lambda, `_lambda_extension` in Lambda.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Protocol

from offpath.tracing._otlp import EndedTrace

Publish = Callable[[Sequence[EndedTrace]], None]
Handler = Callable[[Any, Any], Any]

# Of traces that wait in memory.
MOST_BYTES = 64 * 1024 * 1024
# The runtime client holds the GIL while it posts the response: a flush that starts at once would delay that post.
RESPONSE_HEAD_START_SECONDS = 0.002

_log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Takes ended traces out of the process. No method raises."""

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        """Send the traces to the queue, or keep them elsewhere."""

    def spill(self, traces: Sequence[EndedTrace]) -> None:
        """Keep the traces, without asking the queue."""

    def log_unsent(self, traces: Sequence[EndedTrace]) -> None:
        """Put the traces into the log, without asking any service."""


class OpenTraces(Protocol):
    """The requests whose traces have not ended."""

    def newest_request(self) -> int:
        """Return the number of the one that began last, 0 if there is none."""

    def unfinished(self, reason: str) -> list[EndedTrace]:
        """Return what has ended of each so far."""


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

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this, from whichever thread, once what was submitted so far is published; with False if it cannot be."""

    def close(self, timeout_seconds: float) -> bool:
        """Publish what is left and stop. Return False if that did not end in time."""


class InRequest:
    """Publishes while the request waits, with no thread at all: for a Lambda that refuses the extension."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._periodic_tasks: list[Callable[[], None]] = []

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace now."""
        guarded(partial(self._publisher.publish, [trace]))

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

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this now: nothing is ever left."""
        notify(True)

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
