"""Fetch objects ahead, several at once: an audit of a day would otherwise wait an hour or two for S3's answers."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import NamedTuple

from offpath.aws.s3 import Listed
from offpath.contracts.errors import ObjectMissing

THREADS = 16
MOST_BYTES = 32_000_000

Get = Callable[[str], bytes]
Tasks = SimpleQueue[tuple[str, Future[bytes]] | None]


class Fetched(NamedTuple):
    """An object with its content."""

    listed: Listed
    content: bytes


def fetched(
    objects: Iterable[Listed], get: Get, threads: int = THREADS, most_bytes: int = MOST_BYTES
) -> Generator[Fetched, None, None]:
    """Yield the objects with their contents, in their order; those that are gone by then are passed over.

    most_bytes: of contents that are held, or asked for, at once; a larger one is fetched alone. Raises what `get` does.
    """
    source, held = iter(objects), 0
    waiting, tasks = deque[tuple[Listed, Future[bytes]]](), Tasks()
    upcoming = next(source, None)
    running = 0
    try:
        while upcoming or waiting:
            while upcoming and (not waiting or (held + upcoming.size <= most_bytes and len(waiting) < 2 * threads)):
                if running < threads:
                    _start(get, tasks)
                    running += 1
                waiting.append((upcoming, Future()))
                tasks.put((upcoming.key, waiting[-1][1]))
                held += upcoming.size
                upcoming = next(source, None)
            listed, future = waiting.popleft()
            held -= listed.size
            try:
                content = future.result()
            except ObjectMissing:
                continue
            yield Fetched(listed, content)
    finally:
        for _, future in waiting:
            future.cancel()
        for _ in range(running):
            tasks.put(None)


def _start(get: Get, tasks: Tasks) -> None:
    """Start a thread. A service that hangs must not keep the process from ending: it is not waited for."""
    threading.Thread(target=_work, args=(get, tasks), name="prefetch", daemon=True).start()


def _work(get: Get, tasks: Tasks) -> None:
    while task := tasks.get():
        key, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(get(key))
        except BaseException as error:  # whoever waits for the object gets it
            future.set_exception(error)
