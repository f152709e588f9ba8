"""Hand a batch of SQS messages to a function as Lambda's event source mapping does, and read its answer.

Shape: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html; meaning of an answer:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.settings import ACCOUNT, REGION

# A message as `ReceiveMessage` gives it.
SqsMessage = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LocalContext:
    """Tell a function of its invocation, as Lambda's context object does. deadline: on the monotonic clock."""

    function_name: str
    deadline: float
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """The function's name, as AWS spells it."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds this invocation may still take."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def sqs_event(messages: Sequence[SqsMessage], queue: str) -> dict[str, Any]:
    """Return the event for these messages, received from the queue of that name."""
    return {"Records": [_record(message, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}") for message in messages]}


def _record(message: SqsMessage, arn: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    digest = {"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if attributes else {}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        **digest,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**_content(value), "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def _content(value: Mapping[str, Any]) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"binaryValue": base64.b64encode(value["BinaryValue"]).decode()}
    return {"stringValue": value["StringValue"]}


def failed_ids(answer: object, sent: Sequence[str]) -> set[str]:
    """Return the ids of the messages that stay on the queue; an answer that is no partial batch response fails all."""
    if not answer:
        return set()
    failed = _item_identifiers(answer)
    return set(sent) if failed is None or failed - set(sent) else failed


def _item_identifiers(answer: object) -> set[str] | None:
    """Return the identifiers in a partial batch response; None for anything else."""
    match answer:
        case {"batchItemFailures": None}:
            return set()
        case {"batchItemFailures": list(items)}:
            found = {item["itemIdentifier"] for item in items if _names_an_item(item)}
            return found if all(map(_names_an_item, items)) else None
        case _:
            return None


def _names_an_item(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("itemIdentifier"), str)
