"""A lease in S3: of several processes that could do the same work, one has it for a while."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from offpath.aws.s3 import Fetched
from offpath.contracts.errors import ObjectChanged, ObjectMissing, Transient

SCHEMA = "lease/1"


class LeaseBucket(Protocol):
    """Keeps the lease. Each method may raise Transient."""

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object. Raises ObjectMissing."""

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace what has that entity tag, None for what is not there; return the new tag. Raises ObjectChanged."""


class Lease:
    """The lease of one key. Whoever was killed with it holds up the others until it expires, and no longer.

    now: the wall clock, with its time zone.
    """

    def __init__(self, bucket: LeaseBucket, key: str, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._key = key
        self._now = now
        self._holder = uuid.uuid4().hex

    @contextmanager
    def held(self, seconds: float) -> Iterator[bool]:
        """Yield whether the lease could be had, for so many seconds, and give it back. Raises Transient."""
        etag = self._acquire(seconds)
        try:
            yield etag is not None
        finally:
            if etag is not None:
                self._give_back(etag)

    def _acquire(self, seconds: float) -> str | None:
        try:
            found = self._bucket.get_if_changed(self._key, None)
        except ObjectMissing:
            found = None
        if found and self._is_held(found.content):
            return None
        try:
            return self._bucket.put_if_unchanged(self._key, self._document(seconds), found.etag if found else None)
        except ObjectChanged:  # another was faster
            return None

    def _give_back(self, etag: str) -> None:
        try:
            self._bucket.put_if_unchanged(self._key, self._document(0), etag)
        except (ObjectChanged, Transient):  # it expires
            return

    def _is_held(self, content: bytes) -> bool:
        try:
            return datetime.fromisoformat(json.loads(content)["expires_at"]) > self._now()
        except (ValueError, TypeError, KeyError):
            return False

    def _document(self, seconds: float) -> bytes:
        expires = (self._now() + timedelta(seconds=seconds)).isoformat()
        return json.dumps({"schema": SCHEMA, "holder": self._holder, "expires_at": expires}).encode()
