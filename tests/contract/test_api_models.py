"""The fake model store behaves as S3 does against moto's server."""

import pytest

from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.names import MANIFEST_KEY
from prediction_api.adapters.s3_models import S3Models
from prediction_api.models.loader import ModelStore
from tests.support.api_fakes import FakeModels


class Store:
    """A model store and the way to put something into it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.fake = FakeModels()
        self.bucket = None
        if request.param == "s3":
            self.bucket = Bucket(request.getfixturevalue("s3"), request.getfixturevalue("bucket_name"))

    @property
    def models(self) -> ModelStore:
        return S3Models(self.bucket) if self.bucket else self.fake

    def put(self, key: str, content: bytes) -> None:
        if self.bucket:
            self.bucket.put(key, content)
        else:
            self.fake.objects[key] = content


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    return Store(request)


def test_nothing_is_there_before_it_was_put(store: Store) -> None:
    with pytest.raises(ObjectMissing):
        store.models.manifest_if_changed(None)
    with pytest.raises(ObjectMissing):
        store.models.model_file("models/sha256/none.onnx")


def test_a_manifest_is_read_once(store: Store) -> None:
    store.put(MANIFEST_KEY, b"{}")
    first = store.models.manifest_if_changed(None)
    assert first is not None
    assert first[0] == b"{}"
    assert store.models.manifest_if_changed(first[1]) is None


def test_a_changed_manifest_is_read_again(store: Store) -> None:
    store.put(MANIFEST_KEY, b"{}")
    first = store.models.manifest_if_changed(None)
    assert first is not None
    store.put(MANIFEST_KEY, b'{"models":{}}')
    second = store.models.manifest_if_changed(first[1])
    assert second is not None
    assert second[0] == b'{"models":{}}'


def test_a_model_file_is_read(store: Store) -> None:
    store.put("models/sha256/a.onnx", b"model")
    assert store.models.model_file("models/sha256/a.onnx") == b"model"
