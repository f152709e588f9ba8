"""Waiting for what must happen, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

# No test passes or fails by this number: only what never happens takes as long.
DEADLINE_SECONDS = 300.0
PAUSE_SECONDS = 0.05

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], otherwise: Callable[[], str], seconds: float = DEADLINE_SECONDS) -> T:
    """Return the first answer of `look` that is true. Raises AssertionError with what `otherwise` says if none is."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(PAUSE_SECONDS)
    return found
