"""Run work after the response in Lambda."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Protocol, Self

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import Invocation
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import RESPONSE_HEAD_START_SECONDS, Handler, Publish, guarded, run_periodic_tasks

# How long an invocation goes unread. A handler that takes longer is not slowed by the reading.
UNREAD_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Extensions(Protocol):
    """Lambda, as an extension sees it."""

    def register(self) -> None:
        """Announce the extension. Raises Transient."""

    def wait(self) -> None:
        """Ask for the next invocation, and wait until it has begun. Raises Transient when the environment ends."""

    def read(self) -> Invocation:
        """Return the invocation that was waited for. Raises Transient."""


class LambdaExtension:
    """An internal extension: it publishes after the handler has returned, while Lambda keeps the environment awake.

    Lambda answers the caller as soon as the runtime has posted its response, and freezes the environment only when
    every extension asks for the next event
    (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html). So nothing that was submitted during
    an invocation is still here when the environment freezes.
    """

    def __init__(self, publish: Publish, api: Extensions) -> None:
        self._publish = publish
        self._api = api
        self._traces: deque[EndedTrace] = deque()
        self._periodic_tasks: list[Callable[[], None]] = []
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> Self:
        """Register the extension, which must happen while the function initialises, and return it. Raises Transient."""
        self._api.register()
        threading.Thread(target=self._run, name="offpath-extension", daemon=True).start()
        return self

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace after this invocation's response. Returns at once."""
        self._traces.append(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after every invocation's traces."""
        self._periodic_tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return a handler that tells this extension when it has returned."""

        @wraps(handler, updated=())
        def handle(event: Any, context: Any) -> Any:
            try:
                return handler(event, context)
            finally:
                self._done.put(context.aws_request_id)

        return handle

    def flush(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Publish what is left, here and now."""
        self._flush()
        return True

    def close(self, timeout_seconds: float) -> bool:
        """Publish what is left, here and now; the extension itself lives as long as its environment."""
        return self.flush(timeout_seconds)

    def _run(self) -> None:
        try:
            while True:
                self._await_invocation()
                self._flush()
                run_periodic_tasks(self._periodic_tasks)
                self._flush()  # what the tasks traced
        except Transient as error:
            _log.error("%s; this environment ends", error)

    def _await_invocation(self) -> None:
        """Return when an invocation's handler has, and its response had its head start.

        The invocation is read only then: read as it begins, it would compete with the handler for the interpreter.
        """
        self._api.wait()
        request_id = self._handled(UNREAD_SECONDS)
        time.sleep(RESPONSE_HEAD_START_SECONDS)
        invocation = self._api.read()
        while request_id != invocation.request_id:
            request_id = self._handled(invocation.remaining_seconds())
            if request_id is None:  # an event that Lambda could not parse never reaches the handler
                _log.warning("invocation %s did not reach the end of its handler", invocation.request_id)
                return

    def _handled(self, seconds: float) -> str | None:
        """Return the id of an invocation whose handler has returned, or None if none has within that time."""
        try:
            return self._done.get(timeout=seconds)
        except queue.Empty:
            return None

    def _flush(self) -> None:
        traces = []
        while self._traces:
            traces.append(self._traces.popleft())
        if traces:
            guarded(partial(self._publish, traces))
