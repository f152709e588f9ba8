"""Count how often a message was refused for itself, over the invocations of every writer.

SQS counts receives, whatever the reason: in an outage of an hour, a message is received ten times. A verdict is
MLflow's refusal of that message alone, while it takes others.
"""

import json
from typing import Protocol

from offpath.contracts.errors import ObjectMissing
from offpath.contracts.names import verdict_key


class VerdictBucket(Protocol):
    """Keeps a note for each message that was refused. Each method may raise Transient."""

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises ObjectMissing."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the name of the bucket."""


class Verdicts:
    """Counts in S3. A message is in the hands of one writer at a time, so that no two count it at once."""

    def __init__(self, bucket: VerdictBucket) -> None:
        self._bucket = bucket

    def add(self, message_id: str, reason: str) -> int:
        """Note one more verdict, and return how many there are. Raises Transient."""
        key = verdict_key(message_id)
        count = self._count(key) + 1
        self._bucket.put(key, json.dumps({"schema": "verdicts/1", "count": count, "reason": reason}).encode())
        return count

    def _count(self, key: str) -> int:
        try:
            return int(json.loads(self._bucket.get(key))["count"])
        except (ObjectMissing, ValueError, TypeError, KeyError):
            return 0
