"""Of several processes one has the lease, until it gives it back or it expires."""

from datetime import UTC, datetime, timedelta

import pytest

from offpath.contracts.errors import Transient
from offpath.testing import InMemoryBucket
from trace_writer.lease import Lease

KEY = "status/sweep-lease.json"


class WallClock:
    """A wall clock that tests set."""

    def __init__(self) -> None:
        self.time = datetime(2031, 7, 14, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def test_only_one_has_the_lease() -> None:
    bucket, clock = InMemoryBucket(), WallClock()
    with Lease(bucket, KEY, clock).held(60) as first, Lease(bucket, KEY, clock).held(60) as second:
        assert (first, second) == (True, False)


def test_a_lease_given_back_can_be_had_at_once() -> None:
    bucket, clock = InMemoryBucket(), WallClock()
    for _ in range(3):
        with Lease(bucket, KEY, clock).held(60) as held:
            assert held


def test_a_lease_whose_holder_was_killed_expires() -> None:
    bucket, clock = InMemoryBucket(), WallClock()
    killed = Lease(bucket, KEY, clock).held(60)
    assert killed.__enter__()
    clock.advance(59)
    with Lease(bucket, KEY, clock).held(60) as held:
        assert not held
    clock.advance(2)
    with Lease(bucket, KEY, clock).held(60) as held:
        assert held


def test_a_late_holder_does_not_take_the_next_ones_lease() -> None:
    bucket, clock = InMemoryBucket(), WallClock()
    with Lease(bucket, KEY, clock).held(60):
        clock.advance(61)
        following = Lease(bucket, KEY, clock).held(60)
        assert following.__enter__()
    with Lease(bucket, KEY, clock).held(60) as held:
        assert not held


def test_a_race_for_a_free_lease_has_one_winner() -> None:
    clock = WallClock()
    rivals: list[bool] = []

    class Raced(InMemoryBucket):
        """A bucket in which a rival takes the lease between another's read and write."""

        def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
            if not rivals:
                rivals.append(True)
                with_rival = Lease(self, KEY, clock).held(60)
                assert with_rival.__enter__()
            return super().put_if_unchanged(key, content, etag)

    with Lease(Raced(), KEY, clock).held(60) as held:
        assert not held


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"expires_at": 7}'])
def test_a_lease_that_cannot_be_read_is_free(content: bytes) -> None:
    bucket = InMemoryBucket(objects={KEY: content})
    with Lease(bucket, KEY, WallClock()).held(60) as held:
        assert held


def test_without_s3_there_is_no_lease() -> None:
    bucket = InMemoryBucket()
    bucket.down = True
    with pytest.raises(Transient), Lease(bucket, KEY, WallClock()).held(60):
        raise AssertionError
