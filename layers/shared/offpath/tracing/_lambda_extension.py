"""Run work after the response in Lambda."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from offpath.attributes import INVOCATION_ID
from offpath.contracts.errors import Transient
from offpath.retry import Backoff
from offpath.tracing._extensions_api import Invocation
from offpath.tracing._handlers import UNNAMED, Handlers, Return
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._outbox import Outbox
from offpath.tracing._workers import (
    MOST_BYTES,
    RESPONSE_HEAD_START_SECONDS,
    Handler,
    OpenTraces,
    Publisher,
    run_periodic_tasks,
)

# How often traces leave while their handler still runs.
FLUSH_SECONDS = 1.0
# How long a span that is around the handler, such as an instrumentation's, may take to end after it.
OUTER_SPAN_SECONDS = 0.1
# How long no handler runs before one whose context names another invocation is held to have been this one's.
OTHER_ID_SECONDS = 0.1
# Lambda waits for an extension that does not ask for the next invocation: it is asked again after an error.
ASK_AGAIN = Backoff(first_seconds=0.05, tries=3)

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
    that, whoever ends a trace publishes those that wait. is_snapshotted: whether environments are restored from a
    snapshot of this one, so that nothing may wait in it.
    """

    before_response: bool = False
    flush_margin_seconds: float = 1.0
    most_bytes: int = MOST_BYTES
    is_snapshotted: bool = False


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
        self._api = api
        self._open_traces = open_traces
        self._settings = settings
        self._outbox = Outbox(publisher)
        self._handlers = Handlers(self._before_response)
        self._periodic_tasks: list[Callable[[], None]] = []
        self._outlasted = 0
        self._publishes_at_once = settings.is_snapshotted

    def start(self) -> Self:
        """Register the extension, which must happen while the function initialises, and return it. Raises Transient."""
        self._api.register()
        threading.Thread(target=self._run, name="offpath-extension", daemon=True).start()
        return self

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace after this invocation's response, or now if its handler is not wrapped."""
        self._outbox.put([trace])
        if self._publishes_at_once or self._handlers.missed or self._outbox.bytes > self._settings.most_bytes:
            self._outbox.publish()

    def of_invocation(self) -> Mapping[str, str]:
        """Return what a trace's root says of the invocation whose handler runs, or has just returned."""
        request_id = self._handlers.request_id
        return {INVOCATION_ID: request_id} if request_id else {}

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call the task after every invocation's traces."""
        self._periodic_tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return a handler that tells this extension when it has returned; of nested ones the outermost does."""
        return self._handlers.wrap(handler)

    def flush(self, timeout_seconds: float) -> bool:
        """Publish what waits: for an invocation's handler after the response, and otherwise here and now.

        An instrumentation around the handler flushes, too, before the response, once the handler itself has returned.
        Its own span has ended then, and is published here if the response is to wait. What is not published in time
        goes to the log; return False then.
        """
        if self._handlers.is_awaited and not self._settings.before_response:
            return True
        return self._outbox.publish_by(time.monotonic() + timeout_seconds)

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this now: the handler's wrapper waits for what is to be published before the response."""
        notify(True)

    def close(self, timeout_seconds: float) -> bool:
        """Publish what is left, what is in hand included; the extension itself lives as long as its environment.

        Return False if that did not end in time; the rest is then logged.
        """
        return self._outbox.close(timeout_seconds)

    def begin_anew(self) -> None:
        """Wait for invocations again, in an environment that was restored from a snapshot."""
        self._handlers.begin_anew()
        self._publishes_at_once = False

    def _run(self) -> None:
        pauses = ASK_AGAIN.pauses()
        while True:
            try:
                self._serve()
                pauses = ASK_AGAIN.pauses()
            except Exception as error:
                self._handlers.missed = True  # until the next handler has been noticed
                self._outbox.publish()
                if (pause := next(pauses, None)) is None:
                    return self._end(error)
                _log.warning("%s; the extension asks again", error, exc_info=not isinstance(error, Transient))
                time.sleep(pause)

    def _end(self, error: Exception) -> None:
        self._handlers.await_none()
        self._outbox.publish()
        _log.error("%s; the extension has ended: from now on traces are sent before the response", error)

    def _serve(self) -> None:
        """Publish the traces of one invocation."""
        self._api.wait()
        self._publishes_at_once = False
        returned = self._handlers.first_return(self._settings.flush_margin_seconds)
        # The invocation is read only now: read as it begins, it would compete with the handler for the interpreter.
        time.sleep(RESPONSE_HEAD_START_SECONDS)
        invocation = self._api.read()
        deadline = time.monotonic() + invocation.remaining_seconds()
        request_id = invocation.request_id
        is_over = returned is None and self._handlers.missed_in(request_id)
        while not is_over:
            in_time = self._await_handler(request_id, returned, deadline)
            self._await_outer_spans()
            self._outbox.publish_by(deadline)
            # Several handlers may be called, one after the other, by one that is not wrapped.
            is_over, returned = self._handlers.end_invocation(request_id, even_if_running=not in_time), None
        self._outbox.publish_by(deadline)
        run_periodic_tasks(self._periodic_tasks)
        self._outbox.publish_by(deadline)  # what the tasks traced

    def _await_handler(self, request_id: str, returned: Return | None, deadline: float) -> bool:
        """Wait until a handler of this invocation has returned. Return False at the invocation's time-out."""
        has_another_id = False
        while True:
            if returned is not None and returned.request_id == request_id:
                return True
            if returned is not None and self._handlers.is_of_this_invocation(returned):
                # A handler that was called without Lambda's context names no invocation: it can only be this one's.
                if returned.request_id == UNNAMED:
                    return True
                has_another_id = True
            elif returned is None and has_another_id and self._handlers.are_idle:
                return True
            before_timeout = deadline - self._settings.flush_margin_seconds - time.monotonic()
            if before_timeout <= 0:
                return self._await_time_out(request_id, deadline)
            longest = OTHER_ID_SECONDS if has_another_id else FLUSH_SECONDS
            returned = self._handlers.next_return(min(longest, before_timeout))
            if returned is None:
                self._outbox.publish_by(deadline)

    def _await_time_out(self, request_id: str, deadline: float) -> bool:
        """Publish what there is of an invocation whose time-out is near. Return whether it ended in time after all."""
        self._outbox.put(self._open_traces.unfinished(f"invocation {request_id} came close to its time-out"))
        self._outbox.publish_by(deadline)
        return self._handlers.next_return(deadline - time.monotonic()) is not None

    def _await_outer_spans(self) -> None:
        """Wait a moment for spans around the handler, once for each: one that was forgotten holds up no other."""
        latest = time.monotonic() + OUTER_SPAN_SECONDS
        while self._open_traces.newest_request() > self._outlasted and time.monotonic() < latest:
            time.sleep(RESPONSE_HEAD_START_SECONDS)
        self._outlasted = self._open_traces.newest_request()

    def _before_response(self, missed: bool) -> None:
        """Publish while the response waits, if it is to, or if this thread has not waited for the handler."""
        if missed or self._settings.before_response or self._publishes_at_once:
            self._outbox.publish()
