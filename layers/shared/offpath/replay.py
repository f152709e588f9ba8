"""Put messages that wait in S3 under `spill/<queue name>/` back on their queue.

The API's publisher leaves them there when SQS takes nothing, and `make up` of former versions did when it stopped.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from offpath.aws.sqs import SQS_MAX_BYTES, batches
from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, Poison, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix
from offpath.contracts.trace_event import ClaimStore, decode_message, encode_message


class ReplayBucket(Protocol):
    """Read and empty a bucket. Each method may raise Transient."""

    def get(self, key: str) -> bytes:
        """Return the content of an object."""

    def keys(self, prefix: str) -> Iterable[str]:
        """Return the keys that begin with the prefix."""

    def delete(self, key: str) -> None:
        """Remove an object."""


class Producer(Protocol):
    """Send to a queue."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB, and return those not taken. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Tell what was replayed.

    queued: how many messages are on their queue again. left: key of an object that stays in S3 → reason.
    """

    queued: int
    left: dict[str, str]


def replay(bucket: ReplayBucket, claims: ClaimStore, queue: str, producer: Producer) -> Replay:
    """Put what waits in S3 for this queue on it again; each object is deleted once SQS has its message.

    A message too large for SQS, spilled when no claim could be stored, is queued as the claim check that it should be.
    Raises Transient.
    """
    queued = 0
    left: dict[str, str] = {}
    for batch in batches(_readable(bucket, claims, queue, left), lambda stored: stored[1].size):
        refused = [id(message) for message in producer.send([message for _, message in batch])]
        for key, message in batch:
            if id(message) in refused:
                left[key] = "SQS refused it"
            else:
                bucket.delete(key)
                queued += 1
    return Replay(queued, left)


def _readable(
    bucket: ReplayBucket, claims: ClaimStore, queue: str, unreadable: dict[str, str]
) -> Iterator[tuple[str, Message]]:
    """Yield key and message of what can be queued, and add the others to `unreadable`, with the reason."""
    for key in list(bucket.keys(spill_prefix(queue))):
        try:
            yield key, _load(bucket.get(key), claims)
        except (Poison, UnknownSchema) as error:
            unreadable[key] = str(error)


def _load(content: bytes, claims: ClaimStore) -> Message:
    message = spilled.load(content)
    if message.size > SQS_MAX_BYTES:
        message = _claim_check(message, claims)
    if message.size > SQS_MAX_BYTES:
        raise MalformedEvent(f"SQS takes messages of {SQS_MAX_BYTES:,} bytes, and this one has {message.size:,}")
    return message


def _claim_check(message: Message, claims: ClaimStore) -> Message:
    """Return the claim check of a large message, with all its attributes, such as why it is a dead letter."""
    check = encode_message(decode_message(message, claims), claims, max_bytes=0)
    return Message(check.body, {**message.attributes, **check.attributes})
