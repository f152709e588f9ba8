"""Fetch objects ahead, several at once: an audit of a day would otherwise wait an hour or two for S3's answers."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from offpath.aws.s3 import Listed
from offpath.contracts.errors import ObjectMissing

THREADS = 16
MOST_BYTES = 32_000_000


class Fetched(NamedTuple):
    """An object with its content."""

    listed: Listed
    content: bytes


def fetched(
    objects: Iterable[Listed],
    get: Callable[[str], bytes],
    threads: int = THREADS,
    most_bytes: int = MOST_BYTES,
) -> Generator[Fetched, None, None]:
    """Yield the objects with their contents, in their order; those that are gone by then are passed over.

    most_bytes: of contents that are held, or asked for, at once; a larger one is fetched alone. Raises what `get` does.
    """
    source, held = iter(objects), 0
    waiting = deque[tuple[Listed, Future[bytes]]]()
    upcoming = next(source, None)
    pool = ThreadPoolExecutor(threads, "prefetch")
    try:
        while upcoming or waiting:
            while upcoming and (not waiting or (held + upcoming.size <= most_bytes and len(waiting) < 2 * threads)):
                waiting.append((upcoming, pool.submit(get, upcoming.key)))
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
        pool.shutdown(wait=True, cancel_futures=True)
