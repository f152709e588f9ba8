"""Objects are fetched ahead, in their order, within a bound of bytes."""

import threading
from collections.abc import Set
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.aws.s3 import Listed
from offpath.contracts.errors import ObjectMissing, Transient
from tests.support.waiting import wait_for
from trace_writer.audit.prefetch import fetched

NOW = datetime(2031, 7, 14, tzinfo=UTC)


class Store:
    """Objects of these sizes. most: how many bytes were asked for and not yet taken, at most."""

    def __init__(self, sizes: list[int], gone: Set[int] = frozenset()) -> None:
        self.listed = [Listed(str(number), size, NOW) for number, size in enumerate(sizes)]
        self._gone = gone
        self._lock = threading.Lock()
        self.held = self.most = 0

    def get(self, key: str) -> bytes:
        size = self.listed[int(key)].size
        with self._lock:
            self.held += size
            self.most = max(self.most, self.held)
        if int(key) in self._gone:
            self.take(size)
            raise ObjectMissing(key)
        return key.encode() * size

    def take(self, size: int) -> None:
        with self._lock:
            self.held -= size


@given(sizes=st.lists(st.integers(0, 60), max_size=30), threads=st.integers(1, 4), gone=st.sets(st.integers(0, 29)))
def test_objects_come_in_order_within_the_bound(sizes: list[int], threads: int, gone: set[int]) -> None:
    store = Store(sizes, gone)
    found = []
    for one in fetched(store.listed, store.get, threads, most_bytes=100):
        store.take(one.listed.size)
        found.append((one.listed.key, one.content))
    assert found == [
        (str(number), str(number).encode() * size) for number, size in enumerate(sizes) if number not in gone
    ]
    assert store.most <= 100


def test_an_object_beyond_the_bound_is_fetched_alone() -> None:
    store = Store([10, 500, 10])
    for one in fetched(store.listed, store.get, 4, most_bytes=100):
        store.take(one.listed.size)
    assert store.most == 500


def test_several_objects_are_fetched_at_once() -> None:
    together = threading.Barrier(4)

    def get(key: str) -> bytes:
        together.wait(timeout=60)
        return key.encode()

    listed = [Listed(str(number), 1, NOW) for number in range(8)]
    assert [one.content for one in fetched(listed, get, 4)] == [b"%d" % number for number in range(8)]


def wait_for_no_threads() -> None:
    def running() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]

    wait_for(lambda: not running(), lambda: str(running()))


def test_an_error_ends_it() -> None:
    def get(key: str) -> bytes:
        if key == "1":
            raise Transient("S3 does not answer")
        return b""

    found = fetched([Listed(str(number), 1, NOW) for number in range(3)], get)
    assert next(found).listed.key == "0"
    with pytest.raises(Transient):
        next(found)
    wait_for_no_threads()


def test_whoever_stops_early_leaves_no_thread() -> None:
    found = fetched([Listed(str(number), 1, NOW) for number in range(99)], str.encode)
    next(found)
    found.close()
    wait_for_no_threads()
