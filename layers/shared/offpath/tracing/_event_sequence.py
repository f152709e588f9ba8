"""Number the events of a process, so that a gap in the numbers of one instance shows a lost event."""

import itertools
import secrets
import threading
import time
from typing import NamedTuple

from opentelemetry.sdk.trace.id_generator import IdGenerator


def new_instance() -> str:
    """Return an id in 32 hex digits that begins with the time in milliseconds: a UUID of version 7 (RFC 9562).

    So who reads the numbers of an instance can tell from when on there must be all of them.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds:012x}7{secrets.randbits(12):03x}{8 | secrets.randbits(2):x}{secrets.randbits(60):015x}"


class EventNumber(NamedTuple):
    """The number of one event of one process. instance: 32 hex digits. sequence: 1, 2, 3 and so on."""

    instance: str
    sequence: int


class EventSequence:
    """Numbers the events of this process.

    The instance id is made at the first event, not at the start: environments that Lambda restores from one snapshot
    would share an id made before the snapshot.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the garbage collector may end a span within any line
        self._instance = ""
        self._numbers = itertools.count(1)

    def begin_anew(self) -> None:
        """Number the events of a copy of the process: they are those of another instance."""
        self._lock = threading.RLock()
        self._instance, self._numbers = "", itertools.count(1)

    def next(self) -> EventNumber:
        """Return the next event's number."""
        with self._lock:
            if not self._instance:
                made = new_instance()
                self._instance = self._instance or made  # a finalizer may have made one meanwhile
            return EventNumber(self._instance, next(self._numbers))


class SystemRandomIds(IdGenerator):
    """Makes trace and span ids from the system's randomness.

    OpenTelemetry's own come from Python's generator, whose state environments restored from one Lambda snapshot share:
    they would give different requests the same ids, and one trace would overwrite another.
    """

    def generate_span_id(self) -> int:
        """Return 64 bits, not all of them 0."""
        return secrets.randbits(64) or self.generate_span_id()

    def generate_trace_id(self) -> int:
        """Return 128 bits, not all of them 0."""
        return secrets.randbits(128) or self.generate_trace_id()
