"""Mark messages whose event is in the archive already: somebody sent it again from there.

The trace writer delivers such a message and does not archive it a second time. A writer that does not know the mark
does; whoever reads the archive takes one of each event.
"""

from offpath.contracts.message import Message, TypedAttribute

_NAME, _ARCHIVE = "replayed", "archive"
# A type of its own tells the mark from a producer's attribute of the same name.
_TYPE = "String.offpath"


def as_replayed(message: Message) -> Message:
    """Return the message of an event that comes from the archive."""
    marked = TypedAttribute(_TYPE, _ARCHIVE)
    return Message(message.body, {**message.attributes, _NAME: _ARCHIVE}, {**message.typed, _NAME: marked})


def is_replayed(message: Message) -> bool:
    """Return whether the event is in the archive already, as its message says."""
    return message.typed.get(_NAME) == TypedAttribute(_TYPE, _ARCHIVE)
