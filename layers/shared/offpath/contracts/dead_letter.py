"""A dead letter is a message that cannot be delivered as it is. A copy of it lies in S3, beside the one on its queue.

The copy is one object, `dead-letters/date=YYYY-MM-DD/<message id>.json`, by the day in UTC on which the message was put
on the queue. It outlives the queue's 14 days, and holds what the queue has no room for: the whole reason. Who puts the
message back on the queue of events, or gives it up for good, says so in the copy.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.contracts.document import check_known, complaint
from offpath.contracts.errors import MalformedEvent
from offpath.contracts.message import STRING, Message, TypedAttribute

SCHEMA: Literal["dead-letter/1"] = "dead-letter/1"
# The schemas that are read: none of them is ever removed.
READABLE = (SCHEMA,)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Hold a message that was given up, and why.

    error: the kind of the verdict. receives: how often the message was received. kept_at: when the copy was written,
    with its time zone. claim_key: where the copy of the body lies that the message stands for, if it stands for one.
    redriven_at: when it was put back on the queue of events. dropped_at: when a person gave it up.
    """

    message_id: str
    message: Message
    error: str
    reason: str
    receives: int
    kept_at: datetime
    claim_key: str | None = None
    redriven_at: datetime | None = None
    dropped_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Return whether somebody has yet to decide what becomes of it."""
        return self.redriven_at is None and self.dropped_at is None


class _Attribute(BaseModel):
    model_config = ConfigDict(frozen=True)

    data_type: Annotated[str, Field(min_length=1)]
    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, attribute: TypedAttribute) -> Self:
        if isinstance(attribute.value, bytes):
            return cls(data_type=attribute.data_type, base64=base64.b64encode(attribute.value).decode())
        return cls(data_type=attribute.data_type, text=attribute.value)

    def attribute(self) -> TypedAttribute:
        value = (self.text or "") if self.base64 is None else base64.b64decode(self.base64)
        return TypedAttribute(self.data_type, value)


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)

    schema_: Annotated[Literal["dead-letter/1"], Field(alias="schema")] = SCHEMA
    message_id: str
    error: str
    reason: str
    receives: int
    kept_at: datetime
    claim_key: str | None = None
    redriven_at: datetime | None = None
    dropped_at: datetime | None = None
    attributes: Mapping[str, _Attribute]
    body: str


def dump(letter: DeadLetter) -> bytes:
    """Return the content of the object in S3."""
    document = _Document(
        message_id=letter.message_id,
        error=letter.error,
        reason=letter.reason,
        receives=letter.receives,
        kept_at=letter.kept_at,
        claim_key=letter.claim_key,
        redriven_at=letter.redriven_at,
        dropped_at=letter.dropped_at,
        attributes={name: _Attribute.of(attribute) for name, attribute in letter.message.all_attributes.items()},
        body="",
    )
    # Escaped, so that half surrogate pairs, which are no UTF-8, are kept as they came.
    return json.dumps(
        {**document.model_dump(mode="json", exclude={"body"}, by_alias=True), "body": letter.message.body}
    ).encode()


def redriven(content: bytes, at: datetime) -> bytes:
    """Return the content of the object of a letter that is on the queue of events again.

    Fields of a newer version stay. Raises as `load` does.
    """
    return _with(content, "redriven_at", at)


def dropped(content: bytes, at: datetime) -> bytes:
    """Return the content of the object of a letter that a person gave up. Raises as `load` does."""
    return _with(content, "dropped_at", at)


def load(content: bytes) -> DeadLetter:
    """Return the dead letter that `dump` wrote. Raises MalformedEvent, or UnknownSchema if it is a newer version's."""
    try:
        fields: Any = json.loads(content)
        check_known("a dead letter of the schema", str(fields["schema"]), READABLE)
        body = str(fields["body"])
        document = _Document.model_validate({**fields, "body": ""})
        attributes = {name: attribute.attribute() for name, attribute in document.attributes.items()}
    except ValidationError as error:
        raise MalformedEvent(f"not a dead letter, {complaint(error)}") from error
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise MalformedEvent(f"not a dead letter: {content[:200]!r}") from error
    return DeadLetter(
        message_id=document.message_id,
        message=_message(body, attributes),
        error=document.error,
        reason=document.reason,
        receives=document.receives,
        kept_at=document.kept_at,
        claim_key=document.claim_key,
        redriven_at=document.redriven_at,
        dropped_at=document.dropped_at,
    )


def _with(content: bytes, name: str, at: datetime) -> bytes:
    load(content)
    return json.dumps({**json.loads(content), name: at.isoformat()}).encode()


def _message(body: str, attributes: Mapping[str, TypedAttribute]) -> Message:
    texts = {name: it.value for name, it in attributes.items() if isinstance(it.value, str)}
    typed = {name: it for name, it in attributes.items() if it.data_type != STRING}
    return Message(body, texts, typed)
