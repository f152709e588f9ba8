"""Run work after the response in Lambda."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Protocol, Self

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import Invocation
from offpath.tracing._otlp import EndedTrace, size_of
from offpath.tracing._workers import (
    RESPONSE_HEAD_START_SECONDS,
    Handler,
    OpenTraces,
    Publisher,
    guarded,
    run_periodic_tasks,
)

# How long an invocation goes unread. A handler that takes longer is not slowed by the reading.
UNREAD_SECONDS = 1.0
# How often traces leave while their handler still runs.
FLUSH_SECONDS = 1.0
# How long a span that is around the handler, such as an instrumentation's, may take to end after it.
OUTER_SPAN_SECONDS = 0.1
# With less time than this, SQS and S3 cannot each be tried: what is not sent in time is put into the log.
AMPLE_SECONDS = 15.0
# What the log needs, at the end of an invocation.
LOG_SECONDS = 0.2
# How often a handler that is not yet slow is looked at, for one whose time-out is short.
POLL_SECONDS = 0.25
MOST_BYTES = 64 * 1024 * 1024
TIMED_OUT = "timed out"
UNNAMED = ""
_NOT_WRAPPED = (
    "invocation %s reached no handler that is wrapped: until one is, traces are sent before the response. Wrap it: "
    "@tracing.lambda_handler, outermost of your decorators"
)

_log = logging.getLogger(__name__)


class Extensions(Protocol):
    """Lambda, as an extension sees it."""

    def register(self) -> None:
        """Announce the extension. Raises Transient."""

    def wait(self) -> None:
        """Ask for the next invocation, and wait until it has begun. Raises Transient when the environment ends."""

    def read(self) -> Invocation:
        """Return the invocation that was waited for. Raises Transient."""


@dataclass(frozen=True, slots=True)
class ExtensionSettings:
    """How an extension works.

    before_response: whether the response waits until the invocation's traces are published. flush_margin_seconds: how
    long before an invocation's time-out everything that has ended is published. most_bytes: of traces that wait; beyond
    that, whoever ends a trace publishes those that wait.
    """

    before_response: bool = False
    flush_margin_seconds: float = 1.0
    most_bytes: int = MOST_BYTES


class LambdaExtension:
    """An internal extension: it publishes after the handler has returned, while Lambda keeps the environment awake.

    Lambda answers the caller as soon as the runtime has posted its response, and freezes the environment only when
    every extension asks for the next event
    (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html). So nothing that was submitted during
    an invocation is still here when the environment freezes.
    """

    def __init__(
        self,
        publisher: Publisher,
        api: Extensions,
        open_traces: OpenTraces,
        settings: ExtensionSettings = ExtensionSettings(),
    ) -> None:
        self._publisher = publisher
        self._api = api
        self._open_traces = open_traces
        self._settings = settings
        self._traces = _Waiting()
        self._handlers = _Handlers(self._before_response)
        self._periodic_tasks: list[Callable[[], None]] = []
        self._outlasted = 0

    def start(self) -> Self:
        """Register the extension, which must happen while the function initialises, and return it. Raises Transient."""
        self._api.register()
        threading.Thread(target=self._run, name="offpath-extension", daemon=True).start()
        return self

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace after this invocation's response, or now if its handler is not wrapped."""
        self._traces.extend([trace])
        if self._handlers.missed or self._traces.bytes > self._settings.most_bytes:
            self._publish(self._traces.take())

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after every invocation's traces."""
        self._periodic_tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return a handler that tells this extension when it has returned; of nested ones the outermost does."""
        return self._handlers.wrap(handler)

    def flush(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Publish what waits: for an invocation's handler after the response, and otherwise here and now.

        An instrumentation around the handler flushes, too, before the response, once the handler itself has returned.
        Its own span has ended then, and is published here if the response is to wait.
        """
        if self._settings.before_response or not self._handlers.is_awaited:
            self._publish(self._traces.take())
        return True

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this now: the handler's wrapper waits for what is to be published before the response."""
        notify(True)

    def close(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Publish what is left, here and now; the extension itself lives as long as its environment."""
        self._publish(self._traces.take())
        return True

    def _run(self) -> None:
        try:
            while True:
                self._handlers.is_awaited = False
                self._api.wait()
                deadline = self._await_handler()
                self._publish_by(deadline)
                run_periodic_tasks(self._periodic_tasks)
                self._publish_by(deadline)  # what the tasks traced
        except Transient as error:
            _log.error("%s; this environment ends", error)

    def _await_handler(self) -> float:
        """Return the invocation's time-out, on the monotonic clock, when its handler has returned.

        The invocation is read only then: read as it begins, it would compete with the handler for the interpreter.
        """
        request_id = self._handlers.first_return(self._settings.flush_margin_seconds)
        time.sleep(RESPONSE_HEAD_START_SECONDS)
        invocation = self._api.read()
        deadline = time.monotonic() + invocation.remaining_seconds()
        if request_id is None and self._handlers.missed_in(invocation.request_id):
            return deadline
        # A handler that was called without Lambda's context names no invocation: it can only be this one's.
        while request_id not in (invocation.request_id, UNNAMED, TIMED_OUT):
            request_id = self._still_running(invocation.request_id, deadline)
        self._await_outer_spans()
        return deadline

    def _still_running(self, running: str, deadline: float) -> str | None:
        """Return the id of the invocation whose handler returns next, if one does soon; publish what has ended."""
        before_timeout = deadline - self._settings.flush_margin_seconds - time.monotonic()
        if before_timeout > 0:
            request_id = self._handlers.next_return(min(FLUSH_SECONDS, before_timeout))
            if request_id is None:
                self._publish_by(deadline)
            return request_id
        self._traces.extend(self._open_traces.unfinished(f"invocation {running} came close to its time-out"))
        self._publish_by(deadline)
        return self._handlers.next_return(deadline - time.monotonic()) or TIMED_OUT

    def _await_outer_spans(self) -> None:
        """Wait a moment for spans around the handler, once for each: one that was forgotten holds up no other."""
        latest = time.monotonic() + OUTER_SPAN_SECONDS
        while self._open_traces.newest_request() > self._outlasted and time.monotonic() < latest:
            time.sleep(RESPONSE_HEAD_START_SECONDS)
        self._outlasted = self._open_traces.newest_request()

    def _before_response(self, missed: bool) -> None:
        """Publish while the response waits, if it is to, or if this thread has not waited for the handler."""
        if missed or self._settings.before_response:
            self._publish(self._traces.take())

    def _publish_by(self, deadline: float) -> None:
        """Publish what waits, and put it into the log if that does not end in time: Lambda would end the process."""
        traces = self._traces.take()
        seconds = deadline - time.monotonic()
        if not traces or seconds >= AMPLE_SECONDS:
            self._publish(traces)
            return
        sending = threading.Thread(target=self._publish, args=[traces], name="offpath-last-moment", daemon=True)
        sending.start()
        sending.join(max(0.0, seconds - LOG_SECONDS))
        if sending.is_alive():
            guarded(partial(self._publisher.log_unsent, traces))

    def _publish(self, traces: Sequence[EndedTrace]) -> None:
        if traces:
            guarded(partial(self._publisher.publish, traces))


class _Waiting:
    """The traces that wait, and roughly how many bytes they hold."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a span, and submit its trace, within any line
        self._traces: list[EndedTrace] = []
        self.bytes = 0

    def extend(self, traces: Sequence[EndedTrace]) -> None:
        with self._lock:
            self._traces.extend(traces)
            self.bytes += sum(map(size_of, traces))

    def take(self) -> list[EndedTrace]:
        with self._lock:
            taken, self._traces, self.bytes = self._traces, [], 0
        return taken


class _Handlers:
    """The handlers that were wrapped, and which invocations they have returned from.

    before_return: is called before the outermost handler returns, with whether its start was missed. missed: the
    extension does not wait for handlers, as none that is wrapped has begun. is_awaited: one has begun in this
    invocation, and the extension publishes its traces yet.
    """

    def __init__(self, before_return: Callable[[bool], None]) -> None:
        self._before_return = before_return
        self._returned: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._depth = 0
        self._is_wrapped = False
        self._timeout_at = math.inf
        self.missed = False
        self.is_awaited = False

    def wrap(self, handler: Handler) -> Handler:
        self._is_wrapped = True

        @wraps(handler, updated=())
        def handle(event: Any, context: Any) -> Any:
            self._enter(context)
            try:
                return handler(event, context)
            finally:
                self._leave(context)

        return handle

    def first_return(self, margin_seconds: float) -> str | None:
        """Return the id of an invocation whose handler has returned, or None if none has in some time.

        That time ends early if the handler would come too close to its time-out.
        """
        if self.missed or not self._is_wrapped:
            return self.next_return(0)
        latest = time.monotonic() + UNREAD_SECONDS
        while (now := time.monotonic()) < min(latest, self._timeout_at - margin_seconds):
            if (request_id := self.next_return(min(POLL_SECONDS, latest - now))) is not None:
                return request_id
        return None

    def next_return(self, seconds: float) -> str | None:
        """Return the id of an invocation whose handler has returned, or None if none has within that time."""
        try:
            return self._returned.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None

    def missed_in(self, request_id: str) -> bool:
        """Return whether no handler has begun in this invocation; then none is waited for, until one begins."""
        with self._lock:
            if self.missed or self._depth or not self._returned.empty():
                return self.missed
            self.missed = True
        _log.warning(_NOT_WRAPPED, request_id)
        return True

    def _enter(self, context: Any) -> None:
        with self._lock:
            self._depth += 1
            self.is_awaited = not self.missed
            if self._depth == 1 and (remaining := getattr(context, "get_remaining_time_in_millis", None)):
                self._timeout_at = time.monotonic() + remaining() / 1000

    def _leave(self, context: Any) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            missed, self.missed = self.missed, False
            self._timeout_at = math.inf
        self._before_return(missed)
        self._returned.put(getattr(context, "aws_request_id", UNNAMED))
