"""An SQS queue in memory."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from offpath.aws.sqs import SQS_MAX_BATCH, SQS_MAX_BYTES, pause_seconds
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message, ReceivedMessage, TypedAttribute
from offpath.retry import SYSTEM_CLOCK
from offpath.testing._service import InMemoryService

# A message as SQS's ReceiveMessage gives it.
Received = Mapping[str, Any]


@dataclass(slots=True)
class _Held:
    message: Message
    visible_at: float
    receives: int = 0


class InMemoryQueue(InMemoryService):
    """Both ends of a queue: with the method and errors of `offpath.aws.sqs.SqsQueue`, and what a consumer calls.

    visibility_seconds: how long a message that was received is hidden from others. now: returns seconds, such as a
    clock's `now`. sizes: the number of messages that each `send` put on the queue. refused: bodies that are not taken.

    >>> queue = InMemoryQueue()
    >>> queue.send([Message("body", {"kind": "inline"})])
    []
    >>> [received] = queue.receive(limit=10)
    >>> received["Body"], queue.receive(limit=10)
    ('body', [])
    >>> queue.delete([received])
    >>> queue.messages
    []
    """

    def __init__(
        self,
        name: str = "offpath-traces",
        *,
        visibility_seconds: float = 120.0,
        now: Callable[[], float] = SYSTEM_CLOCK.now,
    ) -> None:
        super().__init__()
        self.name = name
        self.sizes: list[int] = []
        self.refused: set[str] = set()
        self.visibility_seconds = visibility_seconds
        self._now = now
        self._held: dict[str, _Held] = {}
        self._numbers = count(1)

    @property
    def messages(self) -> list[Message]:
        """The messages that are on the queue, hidden ones too, in the order in which they were sent."""
        return [held.message for held in self._held.values()]

    @property
    def bodies(self) -> list[str]:
        """The bodies of these messages."""
        return [message.body for message in self.messages]

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; return those that are not taken. Raises Transient."""
        self._answer(doing := f"sending {len(messages)} message(s) to {self.name}")
        if not 1 <= len(messages) <= SQS_MAX_BATCH:
            raise Transient(f"{doing}: a batch has from 1 to {SQS_MAX_BATCH} messages")
        if sum(message.size for message in messages) > SQS_MAX_BYTES:
            raise Transient(f"{doing}: a batch has at most {SQS_MAX_BYTES:,} bytes")
        taken = [message for message in messages if message.body not in self.refused]
        for message in taken:
            self._held[str(next(self._numbers))] = _Held(message, self._now())
        self.sizes.append(len(taken))
        return [message for message in messages if message.body in self.refused]

    def receive(self, limit: int, wait_seconds: int = 0) -> Sequence[Received]:  # noqa: ARG002
        """Return at most ten visible messages, and hide them. It waits for none. Raises Transient."""
        self._answer(f"receiving from {self.name}")
        visible = [(number, held) for number, held in self._held.items() if held.visible_at <= self._now()]
        return [self._received(number, held) for number, held in visible[: min(limit, SQS_MAX_BATCH)]]

    def delete(self, messages: Sequence[Received]) -> None:
        """Take these off the queue; one that is gone already is no error. Raises Transient."""
        self._answer(f"deleting {len(messages)} message(s) from {self.name}")
        for number in _numbers(messages):
            self._held.pop(number, None)

    def release(self, messages: Sequence[Received]) -> None:
        """Let these be received again at once; one that is gone already is no error. Raises Transient."""
        self.hide(messages, 0)

    def hide(self, messages: Sequence[Received], seconds: float) -> None:
        """Let these be received again in so many seconds from now. Raises Transient."""
        self._answer(f"changing when {len(messages)} message(s) of {self.name} are visible")
        for number in _numbers(messages):
            if held := self._held.get(number):
                held.visible_at = self._now() + seconds

    def waiting(self) -> tuple[int, int]:
        """Return how many messages can be received, and how many are hidden. Raises Transient."""
        self._answer(f"reading the length of {self.name}")
        visible = sum(held.visible_at <= self._now() for held in self._held.values())
        return visible, len(self._held) - visible

    def _received(self, number: str, held: _Held) -> Received:
        held.receives += 1
        held.visible_at = self._now() + self.visibility_seconds
        body = held.message.body
        return {
            "MessageId": number,
            "ReceiptHandle": f"{number}#{held.receives}",
            "Body": body,
            "MD5OfBody": _md5(body.encode()),
            "Attributes": {"ApproximateReceiveCount": str(held.receives)},
            **_attributes(held.message.all_attributes),
        }


class InMemoryReceiver:
    """The consumer of a queue in memory, with the methods and errors of `offpath.aws.sqs.SqsReceiver`.

    >>> queue = InMemoryQueue()
    >>> receiver = InMemoryReceiver(queue)
    >>> receiver.receive() is None
    True
    >>> queue.send([Message("body", {})])
    []
    >>> message = receiver.receive()
    >>> receiver.delete(message)
    >>> message.body, queue.messages
    ('body', [])
    """

    def __init__(self, queue: InMemoryQueue) -> None:
        self._queue = queue

    def receive(self) -> ReceivedMessage | None:
        """Return the next message, hidden from others for a while, or None if there is none. Raises Transient."""
        for found in self._queue.receive(limit=1):
            receives = int(found["Attributes"]["ApproximateReceiveCount"])
            return ReceivedMessage(found["Body"], found["ReceiptHandle"], receives)
        return None

    def extend(self, message: ReceivedMessage) -> None:
        """Let the visibility timeout of a message begin anew. Raises Transient."""
        self._queue.hide([_receipt(message)], self._queue.visibility_seconds)

    def release(self, message: ReceivedMessage) -> None:
        """Let a message be received again at once. Raises Transient."""
        self._queue.release([_receipt(message)])

    def leave(self, message: ReceivedMessage) -> None:
        """Leave a message for a newer version, hidden after each receive for longer. Raises Transient."""
        self._queue.hide([_receipt(message)], pause_seconds(int(self._queue.visibility_seconds), message.receives))

    def delete(self, message: ReceivedMessage) -> None:
        """Take a message off the queue. Raises Transient."""
        self._queue.delete([_receipt(message)])


def _receipt(message: ReceivedMessage) -> Received:
    return {"ReceiptHandle": message.receipt}


def _numbers(messages: Sequence[Received]) -> Iterator[str]:
    return (str(message["ReceiptHandle"]).partition("#")[0] for message in messages)


def _attributes(attributes: Mapping[str, TypedAttribute]) -> Received:
    """Return a message's attributes with their digest, as SQS does: neither where there is none."""
    if not attributes:
        return {}
    typed = {
        name: {("BinaryValue" if isinstance(it.value, bytes) else "StringValue"): it.value, "DataType": it.data_type}
        for name, it in attributes.items()
    }
    return {"MessageAttributes": typed, "MD5OfMessageAttributes": _md5(b"".join(_encoded(attributes)))}


def _encoded(attributes: Mapping[str, TypedAttribute]) -> Iterator[bytes]:
    """Yield what SQS makes the digest of (its developer guide: Calculating the MD5 message digest)."""
    for name, attribute in sorted(attributes.items()):
        for part in (name, attribute.data_type):
            yield _with_length(part.encode())
        is_binary = isinstance(attribute.value, bytes)
        value = attribute.value if isinstance(attribute.value, bytes) else attribute.value.encode()
        yield (b"\x02" if is_binary else b"\x01") + _with_length(value)


def _with_length(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
