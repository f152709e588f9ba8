"""These are the messages on a queue, as they are sent and as they are received."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STRING = "String"


@dataclass(frozen=True, slots=True)
class TypedAttribute:
    """Hold an attribute of a message as SQS has it: its data type, such as `Number` or `String.unit`, and its value."""

    data_type: str
    value: str | bytes

    @property
    def size(self) -> int:
        """Return the bytes of type and value, in UTF-8."""
        value = self.value if isinstance(self.value, bytes) else _utf8(self.value)
        return len(self.data_type.encode()) + len(value)


@dataclass(frozen=True, slots=True)
class Message:
    """Hold the body and the attributes of an SQS message, whichever library carries it.

    attributes: those that are texts. typed: those whose data type is not simply `String`; the texts of these may be
    among the attributes, too.
    """

    body: str
    attributes: Mapping[str, str]
    typed: Mapping[str, TypedAttribute] = field(default_factory=dict)

    @property
    def all_attributes(self) -> dict[str, TypedAttribute]:
        """Return each attribute with its data type."""
        return {name: TypedAttribute(STRING, value) for name, value in self.attributes.items()} | dict(self.typed)

    @property
    def size(self) -> int:
        """Return the bytes that SQS counts against its limit: of body, attribute names, types and values, in UTF-8."""
        attributes = sum(len(name.encode()) + attribute.size for name, attribute in self.all_attributes.items())
        return len(_utf8(self.body)) + attributes


def _utf8(text: str) -> bytes:
    """Encode a text. Half surrogate pairs, which are no UTF-8, and which SQS takes nowhere, are encoded alone."""
    return text.encode(errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """Hold a message that a consumer has received.

    receipt: what SQS asks for to change or delete it. receives: how often it was received, this time included.
    """

    body: str
    receipt: str
    receives: int = 1
