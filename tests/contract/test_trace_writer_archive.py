"""The fake archive and S3 keep and fail alike."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from offpath.aws.s3 import Bucket
from offpath.contracts.errors import Transient
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.receipt import IN_MLFLOW, Receipt
from tests.support.fakes.trace_writer import NOON, FakeArchive
from trace_writer.archive import BucketArchive
from trace_writer.writer import Archive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Archives = tuple[Archive, Callable[[], list[str]], Archive]


@contextmanager
def fake(_: pytest.FixtureRequest) -> Iterator[Archives]:
    """Yield an archive, its lines, and an archive that cannot be written."""
    archive, broken = FakeArchive(), FakeArchive()
    broken.down = True
    yield archive, lambda: archive.lines, broken


@contextmanager
def real(request: pytest.FixtureRequest) -> Iterator[Archives]:
    """Yield the same, in S3."""
    client: S3Client = request.getfixturevalue("s3")
    bucket = Bucket(client, request.getfixturevalue("bucket_name"))

    def lines() -> list[str]:
        contents = [gzip.decompress(bucket.get(key)).decode() for key in bucket.keys("archive/")]
        return [line for content in contents for line in content.splitlines()]

    yield BucketArchive(bucket, lambda: NOON), lines, BucketArchive(Bucket(client, "no-such-bucket"), lambda: NOON)


@pytest.fixture(params=[fake, real], ids=["fake", "s3"])
def archives(request: pytest.FixtureRequest) -> Iterator[Archives]:
    with request.param(request) as parts:
        yield parts


def test_every_line_is_kept(archives: Archives) -> None:
    archive, lines, _ = archives

    keys = {archive.store([b'{"a":1}', b'{"b":2}']), archive.store([b'{"c":3}'])}

    assert len(keys) == 2
    assert sorted(lines()) == ['{"a":1}', '{"b":2}', '{"c":3}']


def test_receipts_that_cannot_be_written_may_be_written_later(archives: Archives) -> None:
    kept = Receipt(IN_MLFLOW, EventSummary(trace_id="0" * 32))
    archives[0].record([kept])
    archives[2].record([])  # nothing is asked for
    with pytest.raises(Transient):
        archives[2].record([kept])


def test_what_cannot_be_written_may_be_written_later(archives: Archives) -> None:
    with pytest.raises(Transient):
        archives[2].store([b"{}"])
