"""Wait for SQS's receipt before a response, where `OFFPATH_DELIVERY=before_response` asks for it.

Whoever ends the outermost span waits: the code that runs there is about to answer. In an ASGI server that would hold up
every other request, so that there the answer's last part waits instead, and the event loop goes on.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import BackgroundWorker

# A publisher gives up long before: it then has put the traces elsewhere.
LONGEST_SECONDS = 60.0

_awaited_later: ContextVar[bool] = ContextVar("offpath_receipt_awaited_later", default=False)


class Receipts:
    """Waits until what a worker was given is published."""

    def __init__(self, worker: BackgroundWorker) -> None:
        self._worker = worker

    def submit(self, trace: EndedTrace) -> None:
        """Publish the trace, and return once it is, unless the response itself waits for that."""
        self._worker.submit(trace)
        if not _awaited_later.get():
            self._worker.flush(LONGEST_SECONDS)

    async def wait(self) -> None:
        """Return once the traces that were submitted so far are published."""
        loop = asyncio.get_running_loop()
        published: asyncio.Future[bool] = loop.create_future()

        def notify(done: bool) -> None:
            loop.call_soon_threadsafe(_settle, published, done)

        self._worker.when_published(notify)
        await published


@contextmanager
def awaited_later() -> Iterator[None]:
    """Within this block, nobody who ends a span waits: the caller does, by `Receipts.wait`."""
    token = _awaited_later.set(True)
    try:
        yield
    finally:
        _awaited_later.reset(token)


def _settle(future: "asyncio.Future[bool]", done: bool) -> None:
    if not future.done():  # it is, where the request was cancelled
        future.set_result(done)
