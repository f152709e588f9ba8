"""Messages over a restart: moto's queues live in memory, so what is on them at a stop waits in S3.

Under `spill/<queue name>/`, as the API's publisher leaves there what SQS did not take: one way back for both.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.aws.poller import Received
from offpath.aws.sqs import SQS_MAX_BATCH, SQS_MAX_BYTES, batches
from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, Poison, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix
from offpath.contracts.trace_event import ClaimStore, decode_message, encode_message

PAUSE_SECONDS = 0.2


class Files(Protocol):
    """A bucket. Each method may raise Transient."""

    def put(self, key: str, content: bytes) -> str:
        """Store."""

    def get(self, key: str) -> bytes:
        """Read."""

    def keys(self, prefix: str) -> Iterable[str]:
        """List."""

    def delete(self, key: str) -> None:
        """Remove."""


class Producer(Protocol):
    """A queue, as a producer sees it."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; those not taken come back. Raises Transient."""


class Consumer(Protocol):
    """A queue, as a consumer sees it. Each method may raise Transient."""

    name: str

    def receive(self, limit: int, wait_seconds: int) -> Sequence[Received]:
        """At most `limit` messages."""

    def delete(self, messages: Sequence[Received]) -> None:
        """Take these off the queue."""

    def waiting(self) -> tuple[int, int]:
        """How many can be received, and how many are in flight."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. queued: messages on their queue again. left: keys that stay in S3, and why."""

    queued: int
    left: dict[str, str]


def restore(files: Files, claims: ClaimStore, queue: str, producer: Producer) -> Restored:
    """Queue again what waits in S3 for this queue; each is deleted there once SQS has it. Raises Transient.

    A message too large for SQS, spilled when no claim could be stored, is queued as the claim check that it should be.
    """
    queued = 0
    left: dict[str, str] = {}
    for batch in batches(_stored(files, claims, queue, left), lambda stored: stored[1].size):
        refused = [id(message) for message in producer.send([message for _, message in batch])]
        for key, message in batch:
            if id(message) in refused:
                left[key] = "SQS refused it"
                continue
            files.delete(key)
            queued += 1
    return Restored(queued, left)


def save(files: Files, consumer: Consumer, give_up: Callable[[], bool]) -> tuple[int, int]:
    """Move what is on the queue to S3: how many, and how many could not be had.

    Messages in flight, received by a process that was killed, come back when their visibility timeout is over: they are
    waited for until `give_up` says otherwise. Raises Transient.
    """
    saved = 0
    while True:
        received = consumer.receive(SQS_MAX_BATCH, wait_seconds=0)
        for message in received:
            files.put(f"{spill_prefix(consumer.name)}{message['MessageId']}.json", spilled.dump(_message(message)))
        consumer.delete(received)
        saved += len(received)
        if received:
            continue
        left = sum(consumer.waiting())
        if not left or give_up():
            return saved, left
        time.sleep(PAUSE_SECONDS)


def _stored(files: Files, claims: ClaimStore, queue: str, left: dict[str, str]) -> Iterator[tuple[str, Message]]:
    for key in list(files.keys(spill_prefix(queue))):
        try:
            yield key, _loaded(files.get(key), claims)
        except (Poison, UnknownSchema) as error:
            left[key] = str(error)


def _loaded(content: bytes, claims: ClaimStore) -> Message:
    message = spilled.load(content)
    if message.size > SQS_MAX_BYTES:
        message = _checked_in(message, claims)
    if message.size > SQS_MAX_BYTES:
        raise MalformedEvent(f"SQS takes messages of {SQS_MAX_BYTES:,} bytes, and this one has {message.size:,}")
    return message


def _checked_in(message: Message, claims: ClaimStore) -> Message:
    """The claim check of a large message, with all attributes that it has, such as why it is a dead letter."""
    check = encode_message(decode_message(message, claims), claims, max_bytes=0)
    return Message(check.body, {**message.attributes, **check.attributes})


def _message(received: Received) -> Message:
    attributes = received.get("MessageAttributes", {})
    texts = {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}
    return Message(received["Body"], texts)
