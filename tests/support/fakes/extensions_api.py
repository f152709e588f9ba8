"""Lambda's Extensions API in memory."""

import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import Invocation
from tests.support.waiting import DEADLINE_SECONDS as SECONDS


@dataclass(frozen=True, slots=True)
class WatchedInvocation(Invocation):
    """An invocation that tells when an extension goes on waiting for the end of its handler."""

    awaited: threading.Semaphore

    def remaining_seconds(self) -> float:
        self.awaited.release()
        return Invocation.remaining_seconds(self)


class FakeExtensionsApi:
    """Lambda, as an extension sees it.

    `invoke` begins an invocation. asked: the next one is waited for. awaited: the end of this one's handler is, though
    another's has ended.
    """

    def __init__(self) -> None:
        self.registered = False
        self.asked = threading.Semaphore(0)
        self.awaited = threading.Semaphore(0)
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self._begun: Invocation | None = None

    def register(self) -> None:
        self.registered = True

    def wait(self) -> None:
        self.asked.release()
        begun = self._invocations.get()
        if begun is None:
            self._invocations.put(None)  # and for whoever asks again
            raise Transient("the environment ends")
        self._begun = begun

    def read(self) -> Invocation:
        assert self._begun, "an invocation is read once it has begun"
        return self._begun

    def invoke(self, request_id: str, seconds: float = SECONDS) -> None:
        self._invocations.put(WatchedInvocation(request_id, int((time.time() + seconds) * 1000), self.awaited))

    def end(self) -> None:
        """End the environment, and with it the extension's thread: what it logs is this test's."""
        self._invocations.put(None)
        for thread in threading.enumerate():
            if thread.name == "offpath-extension":
                thread.join(SECONDS)
