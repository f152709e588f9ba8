"""Publish with clients of this process's own, which are made when they are first needed."""

import threading
from collections.abc import Callable, Sequence

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import Publisher


class RenewablePublisher:
    """A publisher that can be made anew. make: returns a new one. made: the first one, if there is one already."""

    def __init__(self, make: Callable[[], Publisher], made: Publisher | None = None) -> None:
        self._make = make
        self._made = made
        self._lock = threading.RLock()
        # Never collected: the finalizers of its connections take locks, which in a copy of a process may be held.
        self._kept: list[Publisher] = []

    def renew(self) -> None:
        """Use connections of before no more."""
        if self._made is not None:
            self._kept.append(self._made)
        self._lock, self._made = threading.RLock(), None

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        """Send the traces to the queue, or keep them elsewhere."""
        self._current().publish(traces)

    def spill(self, traces: Sequence[EndedTrace]) -> None:
        """Keep the traces, without asking the queue."""
        self._current().spill(traces)

    def log_unsent(self, traces: Sequence[EndedTrace]) -> None:
        """Put the traces into the log, without asking any service."""
        self._current().log_unsent(traces)

    def _current(self) -> Publisher:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
