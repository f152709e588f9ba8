"""Messages on a queue."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """An SQS message, whichever library carries it: body and string attributes."""

    body: str
    attributes: Mapping[str, str]

    @property
    def size(self) -> int:
        """What SQS counts against its limit: UTF-8 bytes of the body and of attribute names, types and values."""
        attributes = sum(len(f"{name}String{value}".encode()) for name, value in self.attributes.items())
        return len(self.body.encode()) + attributes


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that a consumer has received.

    receipt: what SQS asks for to change or delete it. receives: how often it was received, this time included.
    """

    body: str
    receipt: str
    receives: int = 1
