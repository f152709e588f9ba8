"""Know which of Lambda's wrapped handlers run, and tell when one has returned."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from offpath.tracing._workers import Handler

# How long an invocation goes unread. A handler that takes longer is not slowed by the reading.
UNREAD_SECONDS = 1.0
# How often a handler that is not yet slow is looked at, for one whose time-out is short.
POLL_SECONDS = 0.25
UNNAMED = ""
_NOT_WRAPPED = (
    "invocation %s reached no handler that is wrapped: until one is, traces are sent before the response. Wrap it: "
    "@tracing.lambda_handler, outermost of your decorators"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Return:
    """A handler has returned. request_id: its context's, or UNNAMED. began_in: the invocation that it began in."""

    request_id: str
    began_in: int


class Handlers:
    """The handlers that were wrapped, and which invocations they have returned from.

    before_return: is called before the outermost handler returns, with whether the extension does not wait for it.
    request_id: of the handler that began last in this invocation, UNNAMED if its context names none.
    missed: it waits for none, as none that is wrapped has begun, or as it has ended. is_awaited: one has begun in this
    invocation, and the extension publishes its traces yet.
    """

    def __init__(self, before_return: Callable[[bool], None]) -> None:
        self._before_return = before_return
        self._returned: queue.SimpleQueue[Return] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._depth = 0
        self._is_wrapped = False
        self._timeout_at = math.inf
        self._invocation = 0  # how many have ended
        self._ended_id: str | None = None
        self._began_in = 0
        self._is_late = False
        self._is_over = False
        self.request_id = UNNAMED
        self.missed = False
        self.is_awaited = False

    def wrap(self, handler: Handler) -> Handler:
        """Return a handler that notes when it begins and when it has returned."""
        self._is_wrapped = True

        @wraps(handler, updated=())
        def handle(event: Any, context: Any) -> Any:
            self._enter(context)
            try:
                return handler(event, context)
            finally:
                self._leave(context)

        return handle

    def first_return(self, margin_seconds: float) -> Return | None:
        """Return the first handler's return in an invocation that has begun, or None if none has in some time.

        That time ends early if the handler would come too close to its time-out.
        """
        if self.missed or not self._is_wrapped:
            return self.next_return(0)
        latest = time.monotonic() + UNREAD_SECONDS
        while (now := time.monotonic()) < min(latest, self._timeout_at - margin_seconds):
            if (returned := self.next_return(min(POLL_SECONDS, latest - now))) is not None:
                return returned
        return None

    def next_return(self, seconds: float) -> Return | None:
        """Return the next handler's return, or None if there is none within that time."""
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

    def is_of_this_invocation(self, returned: Return) -> bool:
        """Return whether the handler began in this invocation, and not in one that reached its time-out."""
        return returned.began_in == self._invocation

    @property
    def are_idle(self) -> bool:
        """Whether no handler runs, and none has returned that was not looked at."""
        with self._lock:
            return not self._depth and self._returned.empty()

    def end_invocation(self, request_id: str, *, even_if_running: bool = False) -> bool:
        """Note that the invocation is over, unless another of its handlers has begun meanwhile; return whether it is.

        A handler that begins in it later is not waited for.
        """
        with self._lock:
            if not (self.are_idle or even_if_running):
                return False
            self._invocation += 1
            self._ended_id = request_id
            self.request_id = UNNAMED  # what is traced from now on, such as a shadow, is no answer to it
            self.is_awaited = False
            return True

    def await_none(self) -> None:
        """Note that the extension has ended, and waits for no handler any more."""
        with self._lock:
            self._is_over = self.missed = True

    def begin_anew(self) -> None:
        """Forget the handlers that were called before a snapshot of the process was taken."""
        while self.next_return(0):
            pass

    def _enter(self, context: Any) -> None:
        with self._lock:
            self._depth += 1
            if self._depth > 1:
                return
            self._began_in = self._invocation
            self.request_id = _request_id(context)
            self._is_late = self.request_id == self._ended_id
            self.is_awaited = not (self.missed or self._is_late)
            self._timeout_at = time.monotonic() + _remaining_seconds(context)

    def _leave(self, context: Any) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            missed, self.missed = self.missed, self._is_over
            self._timeout_at = math.inf
            is_late, returned = self._is_late, Return(_request_id(context), self._began_in)
        self._before_return(missed or is_late)
        self._returned.put(returned)


def _request_id(context: Any) -> str:
    try:
        named = context.aws_request_id
    except Exception:
        return UNNAMED
    return named if isinstance(named, str) else UNNAMED


def _remaining_seconds(context: Any) -> float:
    """Return the time until the time-out, as far as the context says: a context of the team's own says anything."""
    try:
        return float(context.get_remaining_time_in_millis() / 1000)
    except Exception:
        return math.inf
