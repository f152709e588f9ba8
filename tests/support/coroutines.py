"""Coroutines in tests, on an event loop of their own."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end.

    Unlike `asyncio.run` it leaves the thread's current loop in its place: Mangum makes one and never closes it, so that
    Python would warn of it in whichever test comes next.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
