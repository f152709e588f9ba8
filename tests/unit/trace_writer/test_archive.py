"""Where a batch lies in the archive, and what the object holds."""

import gzip
import hashlib
from datetime import datetime, timedelta, timezone

import pytest

from offpath.contracts.errors import ObjectMissing, Transient
from trace_writer.archive import BucketArchive, utc_now

EVENING_IN_NEW_YORK = datetime(2031, 7, 14, 21, 5, tzinfo=timezone(timedelta(hours=-4)))
LINES = [b'{"a":1}', b'{"b":2}']


class Objects:
    """A bucket in a dictionary, or none."""

    def __init__(self, *, exists: bool = True) -> None:
        self.contents: dict[str, bytes] = {}
        self.exists = exists

    def put(self, key: str, content: bytes, content_type: str) -> str:
        if not self.exists:
            raise ObjectMissing("NoSuchBucket")
        self.contents[key] = content
        return "bucket"


def test_key_is_hour_in_utc_and_hash_of_lines() -> None:
    objects = Objects()

    key = BucketArchive(objects, lambda: EVENING_IN_NEW_YORK).store(LINES)

    content = b'{"a":1}\n{"b":2}\n'
    assert key == f"archive/v1/date=2031-07-15/hour=01/{hashlib.sha256(content).hexdigest()}.jsonl.gz"
    assert gzip.decompress(objects.contents[key]) == content


def test_same_batch_in_one_hour_is_one_object() -> None:
    objects = Objects()
    archive = BucketArchive(objects, lambda: EVENING_IN_NEW_YORK)

    archive.store(LINES)
    before = dict(objects.contents)
    archive.store(LINES)

    assert objects.contents == before


def test_missing_bucket_is_transient() -> None:
    with pytest.raises(Transient, match="bucket does not exist: NoSuchBucket"):
        BucketArchive(Objects(exists=False)).store(LINES)


def test_the_clock_knows_its_time_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)
