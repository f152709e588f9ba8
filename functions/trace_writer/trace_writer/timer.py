"""Time, so that a test need not wait for it."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Timer:
    """A monotonic clock in seconds, a way to wait, and chance: a number from 0 to 1."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def pauses(self) -> Iterator[float]:
        """Seconds to wait before each further try: doubling, and scattered so that writers do not come back in step."""
        longest = _FIRST_PAUSE_SECONDS
        while True:
            yield longest * (0.5 + self.chance() / 2)
            longest = min(2 * longest, _LONGEST_PAUSE_SECONDS)
