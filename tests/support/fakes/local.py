"""Fake what the local stack shows things on, and the function that it calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


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
        """Keep nothing."""

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
