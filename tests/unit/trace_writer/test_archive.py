"""A batch lies in the archive under its hour and hash, with its lines."""

import gzip
import hashlib
from datetime import datetime, timedelta, timezone

import pytest

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.testing import InMemoryBucket
from trace_writer.archive import BucketArchive, utc_now

EVENING_IN_NEW_YORK = datetime(2031, 7, 14, 21, 5, tzinfo=timezone(timedelta(hours=-4)))
LINES = [b'{"a":1}', b'{"b":2}']


class MissingBucket(InMemoryBucket):
    """A bucket that does not exist."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        raise ObjectMissing("NoSuchBucket")


def test_key_is_hour_in_utc_and_hash_of_lines() -> None:
    bucket = InMemoryBucket()

    key = BucketArchive(bucket, lambda: EVENING_IN_NEW_YORK).store(LINES)

    content = b'{"a":1}\n{"b":2}\n'
    assert key == f"archive/v1/date=2031-07-15/hour=01/{hashlib.sha256(content).hexdigest()}.jsonl.gz"
    assert gzip.decompress(bucket.objects[key]) == content


def test_same_batch_in_one_hour_is_one_object() -> None:
    bucket = InMemoryBucket()
    archive = BucketArchive(bucket, lambda: EVENING_IN_NEW_YORK)

    archive.store(LINES)
    before = dict(bucket.objects)
    archive.store(LINES)

    assert bucket.objects == before


def test_missing_bucket_is_transient() -> None:
    with pytest.raises(Transient, match="bucket does not exist: NoSuchBucket"):
        BucketArchive(MissingBucket()).store(LINES)


def test_the_clock_knows_its_time_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)
