"""A service that fails when a test says so."""

from offpath.contracts.errors import Transient


class InMemoryService:
    """Fails while it is down, and as often as a test says. down: set it. calls: how many calls there were."""

    def __init__(self) -> None:
        self.down = False
        self.calls = 0
        self._failures = 0

    def fail_next(self, calls: int = 1) -> None:
        """Let that many of the next calls fail, and those after them succeed."""
        self._failures = calls

    def _answer(self, doing: str) -> None:
        """Count a call. Raises Transient if it is to fail."""
        self.calls += 1
        if self.down or self._failures:
            self._failures = max(0, self._failures - 1)
            raise Transient(f"{doing}: the service does not answer")
