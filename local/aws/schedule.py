"""Call a function again and again, as a schedule of EventBridge does."""

import logging
import time
from collections.abc import Callable
from typing import Any

from local.aws.lambda_event import LocalContext

log = logging.getLogger("poller")


class Schedule:
    """Call a function at once, and then every so many seconds, whenever `run` is called and it is time.

    timeout_seconds: of one invocation. now: returns seconds, such as a clock's `now`.
    """

    def __init__(
        self,
        name: str,
        handler: Callable[[dict[str, Any], Any], Any],
        seconds: float,
        timeout_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._handler = handler
        self._seconds = seconds
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._due_at = now()

    def run(self) -> None:
        """Call the function, if it is time. What it raises is logged, and goes no further."""
        if self._now() < self._due_at:
            return
        try:
            self._handler({}, LocalContext(self._name, time.monotonic() + self._timeout_seconds))
        except Exception:
            log.exception("%s failed, and is tried again in %g s", self._name, self._seconds)
        self._due_at = self._now() + self._seconds
