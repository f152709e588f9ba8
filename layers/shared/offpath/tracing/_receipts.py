"""Wait for SQS's receipt before a response, where `OFFPATH_DELIVERY=before_response` asks for it.

Whoever ends the outermost span waits: the code that runs there is about to answer. In an ASGI server that would hold up
every other request, so that there the answer's last part waits instead, and the event loop goes on.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import BackgroundWorker

# A publisher gives up long before: it then has put the traces elsewhere.
LONGEST_SECONDS = 60.0

_awaited_later: ContextVar[bool] = ContextVar("offpath_receipt_awaited_later", default=False)
_log = logging.getLogger(__name__)


class Receipts:
    """Waits until what a worker was given is published, for so long at most."""

    def __init__(self, worker: BackgroundWorker, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._worker = worker
        self._longest_seconds = longest_seconds
        self._has_warned = False

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace, and return once it is, unless the response itself waits for that.

        In an event loop nothing waits here: it would hold up every other request.
        """
        self._worker.submit(trace)
        if _awaited_later.get():
            return
        if not _is_in_event_loop():
            self._worker.flush(self._longest_seconds)
        elif not self._has_warned:
            self._has_warned = True
            _log.warning(
                "a trace ends in an event loop, where its answer cannot wait for the receipt: wrap the application "
                "(app = tracing.asgi(app)), or await tracing.receipts.wait() before the answer"
            )

    async def wait(self) -> None:
        """Return once the traces that were submitted so far are published. Does not raise, and logs if it gives up."""
        if not _is_in_event_loop():  # but in one of another library's
            self._worker.flush(self._longest_seconds)
            return
        loop = asyncio.get_running_loop()
        published: asyncio.Future[bool] = loop.create_future()

        def notify(done: bool) -> None:
            with suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(_settle, published, done)

        self._worker.when_published(notify)
        _, pending = await asyncio.wait([published], timeout=self._longest_seconds)
        if pending:
            _log.warning("an answer goes without its receipt, which has not come for %g s", self._longest_seconds)


@contextmanager
def awaited_later() -> Iterator[None]:
    """Within this block, nobody who ends a span waits: the caller does, by `Receipts.wait`."""
    token = _awaited_later.set(True)
    try:
        yield
    finally:
        _awaited_later.reset(token)


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _settle(future: "asyncio.Future[bool]", done: bool) -> None:
    if not future.done():  # it is, where the request was cancelled
        future.set_result(done)
