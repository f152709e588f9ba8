"""From an SQS message to what the archive and MLflow take."""

from dataclasses import dataclass

from offpath.contracts.errors import MalformedEvent
from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore, decode_message
from trace_writer.json_text import one_line
from trace_writer.otlp_protobuf import to_protobuf
from trace_writer.remote_parent import detach_remote_parents


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the id that SQS gave it. receives: how often it was received, this time included."""

    message_id: str
    message: Message
    receives: int = 1

    @property
    def trace_id(self) -> str:
        """The trace that the message says it is of; empty if it does not say."""
        return self.message.attributes.get("trace_id", "")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A trace event in both forms. line: OTLP/JSON, UTF-8, without a line break. payload: OTLP/protobuf."""

    source: Received
    experiment: str
    line: bytes
    payload: bytes


def decode(received: Received, claims: ClaimStore) -> Decoded:
    """Decode a message, or the claim that it stands for. Raises Poison, UnknownSchema, or Transient."""
    try:
        event = decode_message(received.message, claims)
        line = one_line(event.body)
    except (ValueError, OverflowError, RecursionError) as error:
        raise MalformedEvent(f"the message's content cannot be read: {error}") from error
    request = to_protobuf(_without_nul(line), event.trace_id)
    detach_remote_parents(request)
    return Decoded(received, event.experiment, line.encode(), request.SerializeToString())


def _without_nul(line: str) -> str:
    """The JSON with U+FFFD for NUL, in its texts and in JSON within them, because PostgreSQL cannot hold NUL."""
    return line.replace("\\u0000", "\\ufffd")
