"""Send what is left as an ASGI server ends.

A server may end its process by the signal itself, without Python's `atexit`: uvicorn does.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# How long requests that the server has cancelled may take to end.
CANCELLED_SECONDS = 2.0
_POLL_SECONDS = 0.01


class Requests(Protocol):
    """The requests of an application. in_flight: how many have begun and not ended."""

    in_flight: int


async def serve_lifespan(
    app: Callable[[Receive, Send], Awaitable[None]],
    receive: Receive,
    send: Send,
    at_end: Callable[[], Awaitable[None]],
) -> None:
    """Serve an application's lifespan, and call `at_end` before the server is told that the application has shut down.

    An application that knows no lifespan, and so raises at once or returns, has this one
    (https://asgi.readthedocs.io/en/latest/specs/lifespan.html).
    """
    is_known = False

    async def receive_of_app() -> Message:
        nonlocal is_known
        is_known = True
        return await receive()

    async def send_of_app(message: Message) -> None:
        nonlocal is_known
        if not message["type"].startswith("lifespan."):  # it answers every scope as a request
            raise RuntimeError(f"{message['type']} is no message of a lifespan")
        is_known = True
        if message["type"].startswith("lifespan.shutdown."):
            await at_end()
        await send(message)

    try:
        await app(receive_of_app, send_of_app)
    except Exception:
        if is_known:
            raise
    if not is_known:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await at_end()
        await send({"type": "lifespan.shutdown.complete"})


async def await_requests(requests: Requests) -> None:
    """Wait a moment for requests that the server has cancelled."""
    for _ in range(round(CANCELLED_SECONDS / _POLL_SECONDS)):
        if not requests.in_flight:
            return
        await asyncio.sleep(_POLL_SECONDS)
