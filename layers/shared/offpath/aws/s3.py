"""Read and write an S3 bucket, and the large bodies that lie in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from offpath.aws.errors import aws_errors, error_code
from offpath.contracts.errors import ClaimLost, ObjectChanged, ObjectMissing, ObjectTooLarge, TooLarge, Transient
from offpath.contracts.names import CLAIMS_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 answers the second to one of two who write at the same moment.
_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's content and the entity tag that a conditional read compares."""

    content: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing shows it. size: in bytes. modified: when it was written, with its time zone."""

    key: str
    size: int
    modified: datetime


class Bucket:
    """An S3 bucket. Every method raises Transient when S3 does not answer or refuses."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Store content under the key, and return the bucket's name."""
        with aws_errors(f"writing {self._uri(key)}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=content, ContentType=content_type)
        return self.name

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the object's content. Raises ObjectMissing, or ObjectTooLarge, before it is read, if it is larger."""
        with aws_errors(f"reading {self._uri(key)}"):
            answer = self._client.get_object(Bucket=self.name, Key=key)
            if max_bytes is not None and answer["ContentLength"] > max_bytes:
                answer["Body"].close()
                raise ObjectTooLarge(
                    f"{self._uri(key)} has {answer['ContentLength']:,} bytes, of {max_bytes:,} at most"
                )
            return answer["Body"].read()

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object, or None if its entity tag is still that one. Raises ObjectMissing."""
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            with aws_errors(f"reading {self._uri(key)}"):
                answer = self._client.get_object(Bucket=self.name, Key=key, **condition)  # type: ignore[arg-type]
                return Fetched(answer["Body"].read(), answer["ETag"])
        except Transient as error:
            if error_code(error.__cause__) in {"304", "NotModified"}:
                return None
            raise

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace the object that has that entity tag, None for one that is not there; return the new object's tag.

        Raises ObjectChanged if there is another one, or none any more.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        given: Any = {"Bucket": self.name, "Key": key, "Body": content, "ContentType": "application/json", **condition}
        try:
            with aws_errors(f"writing {self._uri(key)}"):
                return self._client.put_object(**given)["ETag"]
        except (ObjectMissing, Transient) as error:
            if isinstance(error, ObjectMissing) or error_code(error.__cause__) in _CHANGED:
                raise ObjectChanged(f"{self._uri(key)} is not the object that was read") from error
            raise

    def copy(self, key: str, target: str) -> None:
        """Copy an object within the bucket, without reading it. Raises ObjectMissing."""
        with aws_errors(f"copying {self._uri(key)} to {target}"):
            self._client.copy_object(Bucket=self.name, Key=target, CopySource={"Bucket": self.name, "Key": key})

    def exists(self, key: str) -> bool:
        """Return whether there is an object under the key."""
        try:
            with aws_errors(f"looking for {self._uri(key)}"):
                self._client.head_object(Bucket=self.name, Key=key)
        except ObjectMissing:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with the prefix, in S3's order."""
        return (found.key for found in self.listed(prefix))

    def listed(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """Yield every object whose key begins with the prefix and comes after that key, in S3's order."""
        with aws_errors(f"listing {self._uri(prefix)}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after):
                for item in page.get("Contents", []):
                    yield Listed(item["Key"], item["Size"], item["LastModified"])

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        with aws_errors(f"deleting {self._uri(key)}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def _uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


class ClaimBucket(Protocol):
    """The bucket that large bodies are in. Each method may raise Transient."""

    name: str

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name."""

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the object's content. Raises ObjectMissing, or ObjectTooLarge."""


class S3Claims:
    """Large bodies, in the pipeline's own bucket: a message that names another one is not followed there.

    max_bytes: the size above which a body is not read.
    """

    def __init__(self, bucket: ClaimBucket, max_bytes: int | None = None) -> None:
        self._bucket = bucket
        self._max_bytes = max_bytes

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name. Raises Transient."""
        return self._bucket.put(key, content)

    def get(self, bucket: str, key: str) -> bytes:
        """Return the content. Raises ClaimLost, TooLarge, or Transient."""
        if bucket != self._bucket.name or not key.startswith(CLAIMS_PREFIX):
            raise ClaimLost(
                f"s3://{bucket}/{key} is no claim of this pipeline: s3://{self._bucket.name}/{CLAIMS_PREFIX} is"
            )
        try:
            return self._bucket.get(key, self._max_bytes)
        except ObjectMissing as error:
            raise ClaimLost(f"the claim s3://{bucket}/{key} does not exist (expired, or deleted)") from error
        except ObjectTooLarge as error:
            raise TooLarge(f"the claim is larger than OFFPATH_MAX_EVENT_BYTES allows: {error}") from error
