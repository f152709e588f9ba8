"""MiniStack's SQS has no StartMessageMoveTask, by which dead letters are put back on their queue."""

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

ACTION = "StartMessageMoveTask"


def is_needed() -> bool:
    """Return whether the action is missing."""
    return ACTION not in sqs._HANDLERS


def install() -> None:
    """Provide it: the messages are moved at once."""
    sqs._HANDLERS[ACTION] = _move


def _move(data: Mapping[str, Any], queue_url: str) -> dict[str, str]:  # noqa: ARG001
    source, target = sqs._get_q(_name(data["SourceArn"])), _name(data["DestinationArn"])
    with sqs._queues_lock:
        taken, source["messages"] = source["messages"], []
    for message in taken:
        content = {"MessageBody": message["body"], "MessageAttributes": message["message_attributes"]}
        sqs._act_send_message(content, target)
    return {"TaskHandle": new_uuid()}


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
