"""A bucket in memory behaves as the real adapter does against moto's server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts.errors import ClaimLost, ObjectChanged, ObjectMissing, ObjectTooLarge, TooLarge, Transient
from offpath.testing import InMemoryBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AnyBucket = Bucket | InMemoryBucket


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> AnyBucket:
    if request.param == "memory":
        return InMemoryBucket()
    client: S3Client = request.getfixturevalue("s3")
    return Bucket(client, request.getfixturevalue("bucket_name"))


@pytest.fixture(params=["memory", "no such bucket", "no answer"])
def gone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AnyBucket:
    """A bucket that is not available."""
    if request.param == "memory":
        bucket = InMemoryBucket("gone-in-memory")
        bucket.down = True
        return bucket
    if request.param == "no such bucket":
        return Bucket(request.getfixturevalue("s3"), f"gone-{uuid.uuid4().hex[:8]}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("nowhere"))
    return Bucket(s3_client(0.2, attempts=1), "gone-and-silent")


def test_what_is_put_is_there(bucket: AnyBucket) -> None:
    assert bucket.put("a/1", b"one") == bucket.name
    bucket.put("a/2", b"\x00two", "application/octet-stream")
    assert (bucket.get("a/1"), bucket.get("a/2")) == (b"one", b"\x00two")
    assert bucket.exists("a/1")
    assert not bucket.exists("b")


def test_what_was_put_last_is_there(bucket: AnyBucket) -> None:
    bucket.put("a", b"one")
    bucket.put("a", b"two")
    assert bucket.get("a") == b"two"


def test_keys_come_in_the_order_of_their_bytes(bucket: AnyBucket) -> None:
    for key in ("a/é", "a/b", "a/B", "a/b/c", "b"):
        bucket.put(key, b"")
    assert list(bucket.keys("a/")) == ["a/B", "a/b", "a/b/c", "a/é"]


def test_a_copy_is_as_the_object_is(bucket: AnyBucket) -> None:
    bucket.put("a", b"one")
    bucket.copy("a", "b/ü")
    bucket.delete("a")
    assert bucket.get("b/ü") == b"one"


def test_what_is_missing_cannot_be_copied(bucket: AnyBucket) -> None:
    with pytest.raises(ObjectMissing):
        bucket.copy("a", "b")


def test_an_object_that_is_too_large_is_not_read(bucket: AnyBucket) -> None:
    bucket.put("a", b"four")
    assert bucket.get("a", max_bytes=4) == b"four"
    with pytest.raises(ObjectTooLarge, match="4 bytes, of 3 at most"):
        bucket.get("a", max_bytes=3)


def test_a_claim_that_is_too_large_is_refused(bucket: AnyBucket) -> None:
    bucket.put("claims/1", b"four")
    with pytest.raises(TooLarge, match="OFFPATH_MAX_EVENT_BYTES"):
        S3Claims(bucket, max_bytes=3).get(bucket.name, "claims/1")


def test_a_listing_tells_sizes_and_times(bucket: AnyBucket) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    bucket.put("a/1", b"")
    bucket.put("a/2", b"four")
    bucket.put("b", b"x")
    found = list(bucket.listed("a/"))
    assert [(item.key, item.size) for item in found] == [("a/1", 0), ("a/2", 4)]
    assert all(before <= item.modified <= datetime.now(UTC) + timedelta(seconds=2) for item in found)


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("", ["a/1", "a/2", "a/3"]),
        ("a/1", ["a/2", "a/3"]),
        ("a/15", ["a/2", "a/3"]),
        ("a/3", []),
        ("A", ["a/1", "a/2", "a/3"]),
    ],
)
def test_a_listing_begins_after_a_key(bucket: AnyBucket, after: str, found: list[str]) -> None:
    for key in ("a/1", "a/2", "a/3", "b"):
        bucket.put(key, b"")
    assert [item.key for item in bucket.listed("a/", after)] == found


def test_a_listing_shows_what_is_deleted_meanwhile(bucket: AnyBucket) -> None:
    for key in ("a/1", "a/2"):
        bucket.put(key, b"four")
    listing = iter(bucket.listed("a/"))
    first = next(listing)
    bucket.delete("a/2")
    assert [(item.key, item.size) for item in (first, *listing)] == [("a/1", 4), ("a/2", 4)]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(bucket: AnyBucket) -> None:
    bucket.put("a", b"")
    bucket.delete("a")
    bucket.delete("a")
    assert list(bucket.keys("")) == []


def test_what_was_never_put_is_missing(bucket: AnyBucket) -> None:
    with pytest.raises(ObjectMissing, match="nowhere"):
        bucket.get("nowhere")
    with pytest.raises(ObjectMissing, match="nowhere"):
        bucket.get_if_changed("nowhere", None)
    with pytest.raises(ObjectMissing, match="nowhere"):
        bucket.get_if_changed("nowhere", '"0"')


def test_an_unchanged_object_is_not_read_again(bucket: AnyBucket) -> None:
    bucket.put("a", b"one")
    first = bucket.get_if_changed("a", None)
    assert first is not None
    assert first.content == b"one"
    assert bucket.get_if_changed("a", first.etag) is None
    bucket.put("a", b"two")
    second = bucket.get_if_changed("a", first.etag)
    assert second is not None
    assert second.content == b"two"


def test_the_same_content_has_the_same_entity_tag(bucket: AnyBucket) -> None:
    assert bucket.put_if_unchanged("a", b"one", None) == bucket.put_if_unchanged("b", b"one", None)


def test_tag_of_a_write_is_read_next(bucket: AnyBucket) -> None:
    etag = bucket.put_if_unchanged("a", b"one", None)
    assert bucket.get_if_changed("a", etag) is None


def test_second_writer_of_a_new_object_finds_out(bucket: AnyBucket) -> None:
    bucket.put_if_unchanged("a", b"one", None)
    with pytest.raises(ObjectChanged, match="/a is not the object that was read"):
        bucket.put_if_unchanged("a", b"two", None)
    assert bucket.get("a") == b"one"


def test_object_changed_since_it_was_read_is_not_replaced(bucket: AnyBucket) -> None:
    first = bucket.put_if_unchanged("a", b"one", None)
    second = bucket.put_if_unchanged("a", b"two", first)
    with pytest.raises(ObjectChanged):
        bucket.put_if_unchanged("a", b"three", first)
    assert bucket.get("a") == b"two"
    bucket.delete("a")
    with pytest.raises(ObjectChanged):
        bucket.put_if_unchanged("a", b"three", second)


def test_a_claim_is_kept_and_found(bucket: AnyBucket) -> None:
    claims = S3Claims(bucket)
    name = claims.put("claims/1", b"body")
    assert claims.get(name, "claims/1") == b"body"


def test_a_claim_that_is_not_there_is_lost(bucket: AnyBucket) -> None:
    bucket.put("claims/1", b"body")
    with pytest.raises(ClaimLost, match="/claims/none does not exist"):
        S3Claims(bucket).get(bucket.name, "claims/none")


def test_what_is_no_claim_is_not_followed(bucket: AnyBucket) -> None:
    bucket.put("models/manifest.json", b"{}")
    with pytest.raises(ClaimLost, match=r"/models/manifest\.json is no claim of this pipeline"):
        S3Claims(bucket).get(bucket.name, "models/manifest.json")


def test_a_claim_in_another_bucket_is_not_followed(bucket: AnyBucket) -> None:
    bucket.put("claims/1", b"body")
    with pytest.raises(ClaimLost):
        S3Claims(bucket).get("another", "claims/1")


CALLS: dict[str, Callable[[AnyBucket], object]] = {
    "writing": lambda bucket: bucket.put("a", b""),
    "reading": lambda bucket: bucket.get("a"),
    "reading if changed": lambda bucket: bucket.get_if_changed("a", None),
    "writing if unchanged": lambda bucket: bucket.put_if_unchanged("a", b"", None),
    "listing": lambda bucket: list(bucket.keys("a")),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_bucket_that_cannot_be_had_is_worth_another_try(gone: AnyBucket, name: str) -> None:
    with pytest.raises(Transient, match=f"{name.split(maxsplit=1)[0]} s3://gone-.*/a"):
        CALLS[name](gone)
