"""The event that Lambda makes of a batch of SQS messages, and the answer that it expects."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from offpath.contracts.message import STRING, Message, TypedAttribute
from trace_writer.decode import Received
from trace_writer.writer import Failure


def received(event: Mapping[str, Any]) -> list[Received]:
    """The messages of a batch. Raises ValueError if the event is not one of SQS."""
    try:
        return [_received(record) for record in event["Records"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("not a batch of SQS messages: is this function subscribed to something else?") from error


def _received(record: Mapping[str, Any]) -> Received:
    given = record.get("messageAttributes", {}).items()
    found = {name: _attribute(value) for name, value in given if value.keys() & {"stringValue", "binaryValue"}}
    texts = {name: it.value for name, it in found.items() if isinstance(it.value, str)}
    typed = {name: it for name, it in found.items() if it.data_type != STRING}
    about = record.get("attributes", {})
    return Received(
        message_id=record["messageId"],
        message=Message(record["body"], texts, typed),
        receives=int(about.get("ApproximateReceiveCount", "1")),
        sent_at=_time(about.get("SentTimestamp")),
        receipt=record.get("receiptHandle", ""),
    )


def _attribute(value: Mapping[str, Any]) -> TypedAttribute:
    if "binaryValue" in value:
        return TypedAttribute(value.get("dataType", "Binary"), b64decode(value["binaryValue"]))
    return TypedAttribute(value.get("dataType", STRING), value["stringValue"])


def _time(milliseconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def batch_response(failures: Iterable[Failure]) -> dict[str, list[dict[str, str]]]:
    """The partial batch response: SQS keeps the messages that it names, and Lambda deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": failure.message_id} for failure in failures]}
