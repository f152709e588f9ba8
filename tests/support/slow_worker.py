"""A background worker that a test holds up."""

from collections.abc import Callable

from offpath.tracing._otlp import EndedTrace


class SlowWorker:
    """A worker whose receipts come when the test says so."""

    def __init__(self) -> None:
        self.submitted: list[EndedTrace] = []
        self.waiting: list[Callable[[bool], None]] = []
        self.flushes = 0

    def submit(self, trace: EndedTrace) -> None:
        self.submitted.append(trace)

    def flush(self, timeout_seconds: float) -> bool:
        self.flushes += 1
        return True

    def when_published(self, notify: Callable[[bool], None]) -> None:
        self.waiting.append(notify)
