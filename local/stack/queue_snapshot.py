"""Save the messages of a queue that lives in memory in S3, so that they outlive a restart.

They lie under `spill/<queue name>/`, where the API's publisher leaves what SQS did not take: `offpath.replay` brings
both back.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.aws.lambda_event import SqsMessage
from offpath.aws.sqs import SQS_MAX_BATCH
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix

PAUSE_SECONDS = 0.2


class SnapshotBucket(Protocol):
    """Write to a bucket."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the bucket's name. Raises Transient."""


class Consumer(Protocol):
    """Take messages off a queue. Each method may raise Transient."""

    name: str

    def receive(self, limit: int, wait_seconds: int) -> Sequence[SqsMessage]:
        """Return at most `limit` messages, which then are in flight."""

    def delete(self, messages: Sequence[SqsMessage]) -> None:
        """Take these off the queue."""

    def waiting(self) -> tuple[int, int]:
        """Return how many can be received, and how many are in flight."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Count the messages that were saved, and those that were not: they stayed in flight."""

    saved: int
    in_flight: int


def save_snapshot(bucket: SnapshotBucket, queue: Consumer, give_up: Callable[[], bool]) -> Snapshot:
    """Move what is on the queue to S3.

    Messages in flight, received by a process that was killed, come back when their visibility timeout is over: they are
    waited for until `give_up` returns True. Raises Transient.
    """
    saved = 0
    while True:
        received = queue.receive(SQS_MAX_BATCH, wait_seconds=0)
        for message in received:
            bucket.put(f"{spill_prefix(queue.name)}{message['MessageId']}.json", spilled.dump(_plain(message)))
        queue.delete(received)
        saved += len(received)
        if received:
            continue
        in_flight = sum(queue.waiting())
        if not in_flight or give_up():
            return Snapshot(saved, in_flight)
        time.sleep(PAUSE_SECONDS)


def _plain(received: SqsMessage) -> Message:
    attributes = received.get("MessageAttributes", {})
    texts = {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}
    return Message(received["Body"], texts)
