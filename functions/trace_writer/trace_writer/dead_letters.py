"""Takes messages that cannot be delivered as they are off the queue, to where a person finds them with the reason.

SQS's own redrive counts receives, whatever the reason: an hour without MLflow would dead-letter good messages. So
poison is moved from here once it was received often enough, and what MLflow was only not there for stays on the queue.
"""

from collections.abc import Sequence
from typing import Protocol

from offpath.contracts.errors import OffpathError, Poison, Transient
from offpath.contracts.message import Message
from trace_writer.decode import Received

REASON_CHARACTERS = 500


class Queue(Protocol):
    """The dead-letter queue."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send the messages; those not taken come back. Raises Transient."""


class DeadLetters:
    """Moves poison to a queue of its own. max_receives: how often it is tried before, as a verdict may be mistaken."""

    def __init__(self, queue: Queue, max_receives: int) -> None:
        self._queue = queue
        self._max_receives = max_receives

    def take(self, received: Received, error: OffpathError) -> bool:
        """Move the message, with error and reason as attributes. Tell whether it may leave the queue."""
        if not isinstance(error, Poison) or received.receives < self._max_receives:
            return False
        reason = {"error": type(error).__name__, "reason": _printable(str(error))[:REASON_CHARACTERS]}
        try:
            refused = self._queue.send([Message(received.message.body, {**received.message.attributes, **reason})])
        except Transient:  # it stays where it is, and is tried again
            return False
        return not refused


def _printable(text: str) -> str:
    """In characters that SQS takes in an attribute, at least one of them."""
    return "".join(character if " " <= character <= "~" else "?" for character in text) or "?"
