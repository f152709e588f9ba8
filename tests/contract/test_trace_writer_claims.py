"""The fake claim store and S3 give back and miss the same things."""

import pytest

from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts.errors import ClaimLost
from offpath.contracts.trace_event import ClaimStore
from tests.support.trace_writer_fakes import FakeClaims


@pytest.fixture(params=["fake", "s3"])
def claims(request: pytest.FixtureRequest) -> ClaimStore:
    if request.param == "fake":
        return FakeClaims()
    return S3Claims(Bucket(request.getfixturevalue("s3"), request.getfixturevalue("bucket_name")))


def test_what_was_put_is_there(claims: ClaimStore) -> None:
    bucket = claims.put("claims/a/b.json", b"content")
    assert claims.get(bucket, "claims/a/b.json") == b"content"


def test_what_was_not_put_is_lost(claims: ClaimStore) -> None:
    bucket = claims.put("claims/a/b.json", b"content")
    with pytest.raises(ClaimLost, match=r"claims/a/c\.json does not exist"):
        claims.get(bucket, "claims/a/c.json")
