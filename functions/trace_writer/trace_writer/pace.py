"""How much to send to MLflow in one request, by how long it takes: a slower MLflow gets smaller and fewer requests."""

# A request that takes longer makes the next ones smaller, one that takes less than half as long larger again.
TARGET_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
MAX_EVENTS = 1_000
_SMALLEST_SHARE = 1 / 128


class Pace:
    """Bounds requests. max_bytes: of the largest one, before compression."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._share = 1.0
        self._last_seconds = 0.0

    @property
    def max_bytes(self) -> int:
        """The bytes of a request, before compression; one event may have more."""
        return max(1, int(self._max_bytes * self._share))

    @property
    def max_events(self) -> int:
        """The events of a request."""
        return max(1, int(MAX_EVENTS * self._share))

    @property
    def pause_seconds(self) -> float:
        """How long to leave MLflow to others before the next request."""
        return min(max(0.0, self._last_seconds - TARGET_SECONDS), LONGEST_PAUSE_SECONDS)

    def note(self, seconds: float, events: int) -> None:
        """Note how long a request of so many events took, whether it passed or not."""
        self._last_seconds = seconds
        if seconds > TARGET_SECONDS:
            self._share = max(_SMALLEST_SHARE, min(self._share, events / MAX_EVENTS) / 2)
        elif seconds < TARGET_SECONDS / 2:
            self._share = min(1.0, self._share * 1.5)
