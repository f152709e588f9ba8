"""A batch of SQS messages as Lambda's event source mapping hands it to a function, and its answer.

Shape: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html; what an answer means:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.settings import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class LocalContext:
    """Lambda's context object: what a function can learn of its invocation. deadline: on the monotonic clock."""

    function_name: str
    deadline: float
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """The function's name, as AWS spells it."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """How long this invocation may still take."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def sqs_event(messages: Sequence[Mapping[str, Any]], queue: str) -> dict[str, Any]:
    """The event for messages as `ReceiveMessage` gives them, received from the queue of that name."""
    return {"Records": [_record(message, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}") for message in messages]}


def _record(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
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
    """The ids of the messages that stay on the queue; an answer that is no partial batch response fails all."""
    if not answer:
        return set()
    try:
        items = answer["batchItemFailures"] or []  # type: ignore[index]
        failed = {item["itemIdentifier"] for item in items}
    except (TypeError, KeyError):
        return set(sent)
    unknown = failed - set(sent)
    return set(sent) if unknown else failed
