"""Take in lines of a function's log that hold events which neither SQS nor S3 took.

CloudWatch Logs hands them over by a subscription filter. A message can be many lines, and its lines can come in several
invocations: each is put under `spill/parts/` first, and the sweep joins those that are complete.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample
"""

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent
from offpath.contracts.names import SPILL_PARTS_PREFIX, spill_part_key


class PartBucket(Protocol):
    """Keeps the parts."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the name of the bucket. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Count the lines that are in S3 now, and those of them that cannot be read."""

    parts: int
    unreadable: int


def subscribed_lines(event: Mapping[str, Any]) -> list[str]:
    """Return the lines of the log that an event of a subscription holds. Raises ValueError if it is none."""
    try:
        data: Any = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        if data["messageType"] != "DATA_MESSAGE":  # CloudWatch asks whether the function can be reached
            return []
        return [str(entry["message"]) for entry in data["logEvents"]]
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not an event of a log's subscription: {error!r}") from error


def keep_parts(lines: Iterable[str], bucket: PartBucket) -> Kept:
    """Put each line that holds a part of a message into the bucket; other lines are passed over. Raises Transient."""
    parts = unreadable = 0
    for line in lines:
        try:
            part = spilled.log_part(line)
        except MalformedEvent:
            name = hashlib.sha256(line.encode(errors="surrogatepass")).hexdigest()[:32]
            bucket.put(f"{SPILL_PARTS_PREFIX}unreadable/{name}.txt", line.encode(errors="replace"))
            unreadable += 1
            continue
        if part:
            bucket.put(spill_part_key(part.mark, part.part, part.parts), part.line.encode())
            parts += 1
    return Kept(parts + unreadable, unreadable)
