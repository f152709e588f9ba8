"""What a worker off the request path is given in tests: a publisher, requests, and a handler's context."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offpath.tracing._otlp import EndedTrace
from tests.support.waiting import DEADLINE_SECONDS as SECONDS


class Published:
    """A publisher that notes what it is given, and a way to wait for it. hang: holds each batch up."""

    def __init__(self, fail: bool = False, hang: Callable[[], object] = lambda: None) -> None:
        self.spilled: list[EndedTrace] = []
        self.logged: list[EndedTrace] = []
        self._hang = hang
        self.batches: list[list[EndedTrace]] = []
        self.happened = threading.Semaphore(0)
        self._fail = fail

    def publish(self, traces: Sequence[EndedTrace]) -> None:
        self.batches.append(list(traces))
        self.happened.release()
        self._hang()
        if self._fail:
            raise RuntimeError("a defect")

    def spill(self, traces: Sequence[EndedTrace]) -> None:
        self.spilled.extend(traces)

    def log_unsent(self, traces: Sequence[EndedTrace]) -> None:
        self.logged.extend(traces)

    @property
    def traces(self) -> list[EndedTrace]:
        return [trace for batch in self.batches for trace in batch]


def begin_and_wait(begun: threading.Event, release: threading.Event) -> Callable[[], None]:
    """Return what tells that it has begun, and waits until it may go on."""

    def call() -> None:
        begun.set()
        release.wait(SECONDS)

    return call


class NoRequests:
    """No request is under way."""

    def newest_request(self) -> int:
        return 0

    def unfinished(self, reason: str) -> list[EndedTrace]:
        return []


@dataclass
class Context:
    """Lambda's context. seconds: until the time-out."""

    aws_request_id: str
    seconds: float = SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)
