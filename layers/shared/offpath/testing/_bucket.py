"""An S3 bucket in memory."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from offpath.aws.s3 import Fetched, Listed
from offpath.contracts.errors import ObjectChanged, ObjectMissing, ObjectTooLarge
from offpath.testing._service import InMemoryService

_EPOCH = datetime.fromtimestamp(0, UTC)


class InMemoryBucket(InMemoryService):
    """A bucket in a dictionary, with the methods and errors of `offpath.aws.s3.Bucket`.

    objects: content by key. written: the keys in the order of their writes. modified: when each was written.

    >>> bucket = InMemoryBucket()
    >>> etag = bucket.put_if_unchanged("models/manifest.json", b"{}", None)
    >>> bucket.get_if_changed("models/manifest.json", etag) is None
    True
    >>> bucket.objects
    {'models/manifest.json': b'{}'}
    >>> bucket.down = True
    >>> bucket.get("models/manifest.json")
    Traceback (most recent call last):
    offpath.contracts.errors.Transient: reading s3://archive/models/manifest.json: the service does not answer
    """

    def __init__(self, name: str = "archive", objects: Mapping[str, bytes] | None = None) -> None:
        super().__init__()
        self.name = name
        self.objects: dict[str, bytes] = dict(objects or {})
        self.written: list[str] = []
        self.modified: dict[str, datetime] = {}

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:  # noqa: ARG002
        """Store content under the key, and return the bucket's name. Raises Transient."""
        self._answer(f"writing {self._uri(key)}")
        self._write(key, content)
        return self.name

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """Return the object's content. Raises ObjectMissing, ObjectTooLarge if it is larger, or Transient."""
        self._answer(f"reading {self._uri(key)}")
        if key not in self.objects:
            raise ObjectMissing(f"reading {self._uri(key)}: it does not exist")
        content = self.objects[key]
        if max_bytes is not None and len(content) > max_bytes:
            raise ObjectTooLarge(f"{self._uri(key)} has {len(content):,} bytes, of {max_bytes:,} at most")
        return content

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object, or None if its entity tag is still that one. Raises ObjectMissing, or Transient."""
        content = self.get(key)
        found = _etag(content)
        return None if found == etag else Fetched(content, found)

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace the object that has that entity tag, None for one that is not there; return the new object's tag.

        Raises ObjectChanged if there is another one, or none any more, or Transient.
        """
        self._answer(f"writing {self._uri(key)}")
        there = self.objects.get(key)
        if (None if there is None else _etag(there)) != etag:
            raise ObjectChanged(f"{self._uri(key)} is not the object that was read")
        self._write(key, content)
        return _etag(content)

    def copy(self, key: str, target: str) -> None:
        """Copy an object within the bucket. Raises ObjectMissing, or Transient."""
        self.put(target, self.get(key))

    def exists(self, key: str) -> bool:
        """Return whether there is an object under the key. Raises Transient."""
        self._answer(f"looking for {self._uri(key)}")
        return key in self.objects

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with the prefix, in S3's order. Raises Transient."""
        self._answer(f"listing {self._uri(prefix)}")
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def listed(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """Yield every object whose key begins with the prefix and comes after that key, in order. Raises Transient."""
        keys = [key for key in self.keys(prefix) if key > after]
        # A listing shows what was there as it was made, whatever is deleted before it is read to its end.
        yield from [Listed(key, len(self.objects[key]), self.modified.get(key, _EPOCH)) for key in keys]

    def delete(self, key: str) -> None:
        """Remove the object, if it is there. Raises Transient."""
        self._answer(f"deleting {self._uri(key)}")
        self.objects.pop(key, None)

    def _write(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        self.written.append(key)
        self.modified[key] = datetime.now(UTC)

    def _uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
