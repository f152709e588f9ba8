"""The bucket in memory that `offpath register` publishes to behaves as S3 does."""

import pytest

from model_sync.ports import Files
from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing
from offpath_cli.register.serving_check import MemoryFiles


@pytest.fixture(params=["memory", "s3"])
def files(request: pytest.FixtureRequest) -> Files:
    if request.param == "memory":
        return MemoryFiles()
    name: str = request.getfixturevalue("bucket_name")
    return Bucket(s3_client(), name)


def test_what_was_put_is_there(files: Files) -> None:
    files.put("models/sha256/a.onnx", b"\x00one", "application/octet-stream")
    assert files.exists("models/sha256/a.onnx")
    assert files.get("models/sha256/a.onnx") == b"\x00one"


def test_what_was_put_last_is_there(files: Files) -> None:
    files.put("models/manifest.json", b"one")
    files.put("models/manifest.json", b"two")
    assert files.get("models/manifest.json") == b"two"


def test_what_was_not_put_is_missing(files: Files) -> None:
    assert not files.exists("models/manifest.json")
    with pytest.raises(ObjectMissing):
        files.get("models/manifest.json")
