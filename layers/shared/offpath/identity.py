"""Who emits an event, and which of its events it is: a gap in the numbers of one instance is a lost event."""

import itertools
import threading
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emission:
    """One event of one process. instance: 32 hex digits. sequence: 1, 2, 3 and so on."""

    instance: str
    sequence: int


class Emitter:
    """Numbers the events of this process.

    The instance id is made at the first event, not at the start: environments that Lambda restores from one snapshot
    would share an id made before the snapshot.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._instance = ""
        self._numbers = itertools.count(1)

    def next(self) -> Emission:
        """The next event's number."""
        with self._lock:
            if not self._instance:
                self._instance = uuid.uuid4().hex
            return Emission(self._instance, next(self._numbers))
