"""The event that Lambda makes of a batch of SQS messages, and the answer that it expects."""

from collections.abc import Iterable, Mapping
from typing import Any

from offpath.contracts.message import Message
from trace_writer.decode import Received
from trace_writer.writer import Failure


def received(event: Mapping[str, Any]) -> list[Received]:
    """The messages of a batch. Raises ValueError if the event is not one of SQS."""
    try:
        return [_received(record) for record in event["Records"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError("not a batch of SQS messages: is this function subscribed to something else?") from error


def _received(record: Mapping[str, Any]) -> Received:
    attributes = record.get("messageAttributes", {}).items()
    texts = {name: value["stringValue"] for name, value in attributes if "stringValue" in value}
    receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    return Received(record["messageId"], Message(record["body"], texts), receives)


def batch_response(failures: Iterable[Failure]) -> dict[str, list[dict[str, str]]]:
    """The partial batch response: SQS keeps the messages that it names, and Lambda deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": failure.message_id} for failure in failures]}
