"""The archive: every event, in S3, as OTLP JSON Lines (the OpenTelemetry file format), one object a batch."""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.names import archive_hour_prefix


class ObjectStore(Protocol):
    """Keeps objects by key."""

    def put(self, key: str, content: bytes, content_type: str) -> str:
        """Store content under the key; the bucket's name comes back. Raises Transient, or ObjectMissing: no bucket."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class BucketArchive:
    """Writes a batch to `archive/v1/date=YYYY-MM-DD/hour=HH/<SHA-256 of the lines>.jsonl.gz`, by its time in UTC."""

    def __init__(self, objects: ObjectStore, now: Callable[[], datetime] = utc_now) -> None:
        self._objects = objects
        self._now = now

    def store(self, lines: Sequence[bytes]) -> str:
        """Write the lines as one object, and return its key. Raises Transient."""
        content = b"".join(line + b"\n" for line in lines)
        key = self._key(content)
        try:
            self._objects.put(key, gzip.compress(content, mtime=0), "application/gzip")
        except ObjectMissing as error:
            raise Transient(f"the archive's bucket does not exist: {error}") from error
        return key

    def _key(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        return f"{archive_hour_prefix(self._now().astimezone(UTC))}{digest}.jsonl.gz"
