"""Try again what may succeed later, and leave alone what has just failed.

A `Backoff` is a policy: how long to pause between tries, and when to give up. `retry` and `attempts` follow one, and a
`CircuitBreaker` keeps calls away from a service that has failed. Each takes a clock, so that no test waits.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeVar

from offpath.contracts.errors import OffpathError, Transient

T = TypeVar("T")


class CircuitOpen(Transient):
    """The service was not called, as it failed a moment ago."""


class Clock(Protocol):
    """Tells the time, in seconds of which only differences mean something, and waits."""

    def now(self) -> float:
        """Return the time."""

    def sleep(self, seconds: float) -> None:
        """Return once that much time has passed."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Return the time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return once that much time has passed."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Backoff:
    """A policy of pauses: the first one, then each `factor` times as long as the one before, up to the longest.

    jitter: the share of a pause, from 0 to 1, that chance may take away, so that those who failed together do not come
    back together. budget_seconds: how long after the first try the last one may begin. tries: the most there are, the
    first included; None for no limit.
    """

    first_seconds: float
    factor: float = 2.0
    longest_seconds: float = math.inf
    jitter: float = 0.0
    budget_seconds: float = math.inf
    tries: int | None = None

    def pauses(self, chance: Callable[[], float] = random.random) -> Iterator[float]:
        """Yield the seconds to wait before each further try. chance: returns a number from 0 to 1."""
        pause = min(self.first_seconds, self.longest_seconds)
        for _ in count() if self.tries is None else range(self.tries - 1):
            yield pause * (1 - self.jitter * (1 - chance()))
            pause = min(pause * self.factor, self.longest_seconds)


def every(seconds: float, budget_seconds: float = math.inf) -> Backoff:
    """Return a policy of equal pauses: to look again and again whether something has happened."""
    return Backoff(first_seconds=seconds, factor=1.0, budget_seconds=budget_seconds)


def attempts(backoff: Backoff, clock: Clock = SYSTEM_CLOCK) -> Iterator[int]:
    """Yield 1, 2, 3 and so on, one before each try, pausing in between, until the policy allows no further try."""
    deadline = clock.now() + backoff.budget_seconds
    yield 1
    for number, pause in enumerate(backoff.pauses(), 2):
        if clock.now() + pause >= deadline:
            return
        clock.sleep(pause)
        yield number


def retry(call: Callable[[], T], backoff: Backoff, clock: Clock = SYSTEM_CLOCK) -> T:
    """Return what the call returns, tried as the policy says for as long as it raises Transient.

    Raises the last Transient when there is no further try, and any other error at once.
    """
    tries = attempts(backoff, clock)
    next(tries)
    while True:
        try:
            return call()
        except Transient:
            if next(tries, None) is None:
                raise


class CircuitBreaker:
    """Keeps calls away from a service that has failed, so that an outage costs one wait and not one a call.

    The circuit is closed until the service fails. It is then open for some seconds, in which no call is made, and
    half-open afterwards: one caller may probe the service. A probe that fails opens the circuit anew, for twice as long
    as before; after one that succeeds everyone may call. A probe that reports nothing is followed by another after the
    same time.
    now: returns seconds, as a clock's `now` does; a clock that is set back holds nothing up. open_seconds: the longest
    time for which the circuit is open. first_seconds: the first one; by default as long.
    """

    def __init__(self, now: Callable[[], float], open_seconds: float, first_seconds: float | None = None) -> None:
        self._now = now
        self._longest_seconds = open_seconds
        self._first_seconds = open_seconds if first_seconds is None else min(first_seconds, open_seconds)
        self._open_seconds = 0.0
        self._opened_at: float | None = None
        self._probing = False
        self._lock = threading.RLock()  # a signal handler or a finalizer may ask within any line

    @property
    def is_closed(self) -> bool:
        """Whether the service answered last. While it is not, a call that is allowed is a probe."""
        return self._opened_at is None

    def call(self, work: Callable[[], T]) -> T:
        """Return what the work returns, unless the circuit is open.

        Raises CircuitOpen without doing the work, or what the work raises: an OffpathError opens the circuit.
        """
        if not self.allows_call():
            raise CircuitOpen(f"the service is left alone for {self._open_seconds:g} s after it failed")
        try:
            result = work()
        except OffpathError:
            self.open()
            raise
        self.close()
        return result

    def allows_call(self) -> bool:
        """Return whether to call the service now. Whoever asks a half-open circuit first is its probe."""
        with self._lock:
            now = self._now()
            if self._opened_at is None:
                return True
            if 0 <= now - self._opened_at < self._open_seconds:
                return False
            self._opened_at, self._probing = now, True
            return True

    def open(self, at_least_seconds: float = 0.0) -> None:
        """Note that the service failed. at_least_seconds: how long it asked to be left alone, beyond the longest too.

        Of several callers whom the same failure hit, the first opens the circuit, and the others change nothing.
        """
        with self._lock:
            if self._opened_at is None:
                self._open_for(self._first_seconds)
            elif self._probing:
                self._open_for(min(2 * self._open_seconds, self._longest_seconds))
            self._open_seconds = max(self._open_seconds, at_least_seconds)

    def close(self) -> None:
        """Note that the service answered."""
        with self._lock:
            self._opened_at = None
            self._probing = False

    def _open_for(self, seconds: float) -> None:
        self._opened_at, self._open_seconds, self._probing = self._now(), seconds, False
