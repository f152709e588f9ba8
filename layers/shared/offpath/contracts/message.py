"""These are the messages on a queue, as they are sent and as they are received."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """Hold the body and the string attributes of an SQS message, whichever library carries it."""

    body: str
    attributes: Mapping[str, str]

    @property
    def size(self) -> int:
        """Return the bytes that SQS counts against its limit: of body, attribute names, types and values, in UTF-8."""
        attributes = sum(len(f"{name}String{value}".encode()) for name, value in self.attributes.items())
        return len(self.body.encode()) + attributes


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """Hold a message that a consumer has received.

    receipt: what SQS asks for to change or delete it. receives: how often it was received, this time included.
    """

    body: str
    receipt: str
    receives: int = 1
