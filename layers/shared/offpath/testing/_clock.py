"""A clock that a test moves."""


class ManualClock:
    """A clock that moves only when somebody sleeps, which returns at once, or when the test advances it.

    pauses: the seconds of each sleep, in their order.

    >>> clock = ManualClock()
    >>> began = clock.now()
    >>> clock.sleep(5.0)
    >>> clock.advance(2.5)
    >>> clock.now() - began
    7.5
    >>> clock.pauses
    [5.0]
    """

    def __init__(self, start: float = 1_000.0) -> None:
        self._now = start
        self.pauses: list[float] = []

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance the clock by that time, and note the pause."""
        self.pauses.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let that time pass; a negative one sets the clock back."""
        self._now += seconds
