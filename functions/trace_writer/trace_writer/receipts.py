"""Receipts: how each event ended, in S3, one object a batch."""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from offpath.contracts import receipt
from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.names import receipts_hour_prefix
from offpath.contracts.receipt import Receipt


class ReceiptBucket(Protocol):
    """Keeps the receipts."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Store content under the key; the bucket's name comes back. Raises Transient, or ObjectMissing: no bucket."""


class BucketReceipts:
    """Writes the receipts of a batch; the same ones within an hour are the same object. now: the wall clock."""

    def __init__(self, bucket: ReceiptBucket, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._now = now

    def store(self, receipts: Sequence[Receipt]) -> None:
        """Write the receipts as one object, if there are any. Raises Transient."""
        if not receipts:
            return
        lines = b"".join(receipt.dump(one) + b"\n" for one in receipts)
        key = f"{receipts_hour_prefix(self._now().astimezone(UTC))}{hashlib.sha256(lines).hexdigest()}.jsonl.gz"
        try:
            self._bucket.put(key, gzip.compress(lines, mtime=0), "application/gzip")
        except ObjectMissing as error:
            raise Transient(f"the bucket of the receipts does not exist: {error}") from error
