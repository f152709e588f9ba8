"""The manifest and the models in S3."""

from offpath.aws.s3 import Bucket
from offpath.contracts.names import MANIFEST_KEY


class S3Models:
    """Models in the pipeline's bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def manifest_if_changed(self, etag: str | None) -> tuple[bytes, str] | None:
        """Return the manifest and its entity tag; None if that is still the tag. Raises ObjectMissing or Transient."""
        fetched = self._bucket.get_if_changed(MANIFEST_KEY, etag)
        return (fetched.content, fetched.etag) if fetched else None

    def model_file(self, key: str) -> bytes:
        """Return a model's file. Raises ObjectMissing or Transient."""
        return self._bucket.get(key)
