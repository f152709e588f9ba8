"""The message of a dead letter on its queue: the message as it was, with attributes that the trace writer added.

Which copy in S3 belongs to it is said by the attribute `message_id`. SQS takes ten attributes, so that it may be
missing; then the content tells, which is that of the copy.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from offpath.contracts.message import STRING, Message, TypedAttribute

ERROR, REASON, MESSAGE_ID = "error", "reason", "message_id"
_ADDED = frozenset({ERROR, REASON, MESSAGE_ID})
# A type of its own tells these attributes from a producer's of the same name.
OWN_TYPE = "String.offpath"


def original(message: Message) -> Message:
    """Return the message without what the trace writer added to it."""
    added = {name for name in _ADDED if name in message.typed and message.typed[name].data_type == OWN_TYPE}
    return Message(
        message.body,
        {name: value for name, value in message.attributes.items() if name not in added},
        {name: value for name, value in message.typed.items() if name not in added},
    )


def content_digest(message: Message) -> str:
    """Return a digest of the original's body and attributes: that of a letter is that of its copy."""
    attributes = {
        name: [it.data_type, it.value if isinstance(it.value, str) else it.value.hex()]
        for name, it in original(message).all_attributes.items()
    }
    return hashlib.sha256(json.dumps([message.body, attributes], sort_keys=True).encode()).hexdigest()


def received_message(given: Mapping[str, Any]) -> Message:
    """Return the message in what SQS's ReceiveMessage gives, its attributes with their types."""
    found = {name: _attribute(value) for name, value in given.get("MessageAttributes", {}).items()}
    texts = {name: it.value for name, it in found.items() if isinstance(it.value, str)}
    typed = {name: it for name, it in found.items() if it.data_type != STRING}
    return Message(given["Body"], texts, typed)


def _attribute(value: Mapping[str, Any]) -> TypedAttribute:
    content = value["BinaryValue"] if "BinaryValue" in value else value.get("StringValue", "")
    return TypedAttribute(value.get("DataType", STRING), content)
