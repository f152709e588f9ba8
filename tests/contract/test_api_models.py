"""The models in a bucket in memory are read as those in S3 are, against moto's server."""

from __future__ import annotations

import pytest

from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.names import MANIFEST_KEY
from offpath.testing import InMemoryBucket
from prediction_api.adapters.s3_models import S3Models


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> InMemoryBucket | Bucket:
    if request.param == "memory":
        return InMemoryBucket()
    return Bucket(request.getfixturevalue("s3"), request.getfixturevalue("bucket_name"))


@pytest.fixture
def models(bucket: InMemoryBucket | Bucket) -> S3Models:
    return S3Models(bucket)


def test_nothing_is_there_before_it_was_put(models: S3Models) -> None:
    with pytest.raises(ObjectMissing):
        models.manifest_if_changed(None)
    with pytest.raises(ObjectMissing):
        models.model_file("models/sha256/none.onnx")


def test_a_manifest_is_read_once(models: S3Models, bucket: InMemoryBucket | Bucket) -> None:
    bucket.put(MANIFEST_KEY, b"{}")
    first = models.manifest_if_changed(None)
    assert first is not None
    assert first[0] == b"{}"
    assert models.manifest_if_changed(first[1]) is None


def test_a_changed_manifest_is_read_again(models: S3Models, bucket: InMemoryBucket | Bucket) -> None:
    bucket.put(MANIFEST_KEY, b"{}")
    first = models.manifest_if_changed(None)
    assert first is not None
    bucket.put(MANIFEST_KEY, b'{"models":{}}')
    second = models.manifest_if_changed(first[1])
    assert second is not None
    assert second[0] == b'{"models":{}}'


def test_a_model_file_is_read(models: S3Models, bucket: InMemoryBucket | Bucket) -> None:
    bucket.put("models/sha256/a.onnx", b"model")
    assert models.model_file("models/sha256/a.onnx") == b"model"
