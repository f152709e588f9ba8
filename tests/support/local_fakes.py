"""Fake what the local stack talks to; test_local_queue.py holds the fake queue to what SQS does."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offpath.contracts.errors import Transient
from offpath.contracts.message import Message

MANY_BYTES = 1024 * 1024


@dataclass
class Held:
    """Hold a message on the fake queue."""

    message_id: str
    message: Message
    receives: int = 0
    visible_at: float = 0.0


@dataclass
class FakeQueue:
    """Act as an SQS queue, in memory, with its own clock in seconds."""

    name: str = "offpath-traces"
    visibility_seconds: float = 120.0
    now: float = 0.0
    broken: bool = False
    _held: dict[str, Held] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Take all messages."""
        self._check()
        for message in messages:
            number = str(next(self._numbers))
            self._held[number] = Held(number, message)
        return []

    def receive(self, limit: int, wait_seconds: int) -> Sequence[Mapping[str, Any]]:
        """Return at most ten visible ones, which are then in flight."""
        self._check()
        visible = [held for held in self._held.values() if held.visible_at <= self.now][: min(limit, 10)]
        for held in visible:
            held.receives += 1
            held.visible_at = self.now + self.visibility_seconds
        return [_received(held) for held in visible]

    def delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Take these off."""
        self._check()
        for message in messages:
            self._held.pop(message["ReceiptHandle"].split("#")[0], None)

    def release(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Make these visible."""
        self._check()
        for message in messages:
            if held := self._held.get(message["ReceiptHandle"].split("#")[0]):
                held.visible_at = self.now

    def waiting(self) -> tuple[int, int]:
        """Count the visible ones, and those in flight."""
        self._check()
        visible = sum(held.visible_at <= self.now for held in self._held.values())
        return visible, len(self._held) - visible

    def bodies(self) -> list[str]:
        """Return the bodies of all messages, visible or not."""
        return [held.message.body for held in self._held.values()]

    def _check(self) -> None:
        if self.broken:
            raise Transient("SQS does not answer")


def _received(held: Held) -> dict[str, Any]:
    attributes = {name: {"StringValue": value, "DataType": "String"} for name, value in held.message.attributes.items()}
    return {
        "MessageId": held.message_id,
        "ReceiptHandle": f"{held.message_id}#{held.receives}",
        "Body": held.message.body,
        "MD5OfBody": hashlib.md5(held.message.body.encode()).hexdigest(),
        "MD5OfMessageAttributes": "00",
        "Attributes": {"ApproximateReceiveCount": str(held.receives)},
        "MessageAttributes": attributes,
    }


@dataclass
class FakeScreen:
    """Keep what would have been shown."""

    shown: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        """Keep."""
        self.shown.append(text)

    def problem(self, text: str) -> None:
        """Keep."""
        self.shown.append(text)

    def ready(self, name: str, text: str) -> None:
        """Keep."""
        self.shown.append(f"{name} {text}")

    def waiting(self, for_what: Sequence[str]) -> None:
        """Nothing to keep."""

    def line(self, name: str, text: str) -> None:
        """Keep."""
        self.shown.append(f"{name} | {text}")

    def text(self) -> str:
        """Return all that was shown."""
        return "\n".join(self.shown)


@dataclass
class FakeHandler:
    """Act as a Lambda handler that keeps what it was called with, and answers as it is told."""

    answer: Callable[[list[str]], Any] = lambda ids: {"batchItemFailures": []}
    batches: list[list[str]] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Take one invocation."""
        self.batches.append([record["body"] for record in event["Records"]])
        self.milliseconds.append(context.get_remaining_time_in_millis())
        return self.answer([record["messageId"] for record in event["Records"]])


def failing(*message_ids: str) -> Any:
    """Return a partial batch response."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
