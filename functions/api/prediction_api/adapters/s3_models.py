"""The manifest and the models in S3."""

from typing import Protocol

from offpath.aws.s3 import Fetched
from offpath.contracts.names import MANIFEST_KEY


class ModelBucket(Protocol):
    """The bucket that models are in. Each method may raise ObjectMissing or Transient."""

    def get(self, key: str) -> bytes:
        """Return the object's content."""

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object; None if its entity tag is still that one."""


class S3Models:
    """Models in the pipeline's bucket."""

    def __init__(self, bucket: ModelBucket) -> None:
        self._bucket = bucket

    def manifest_if_changed(self, etag: str | None) -> tuple[bytes, str] | None:
        """Return the manifest and its entity tag; None if that is still the tag. Raises ObjectMissing or Transient."""
        fetched = self._bucket.get_if_changed(MANIFEST_KEY, etag)
        return (fetched.content, fetched.etag) if fetched else None

    def model_file(self, key: str) -> bytes:
        """Return a model's file. Raises ObjectMissing or Transient."""
        return self._bucket.get(key)
