"""Let MiniStack's SQS keep its queues and messages in a file, where it has lists in memory.

MiniStack speaks SQS's protocols, checks what it is given, and makes messages. Its functions that look through a
queue's list of messages are replaced, as a look takes as long as the list; the list itself stays empty.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

from local.queue.messages import Messages

Queue = dict[str, Any]
Data = Mapping[str, Any]
# Of a queue in MiniStack, what is not kept: its messages, which are kept each, and what only FIFO queues need.
_NOT_KEPT = ("messages", "dedup_cache")
# AWS's bound of a redrive policy.
_MOST_RECEIVES = 1_000


class LastingSqs:
    """MiniStack's SQS over a file. There is one in a process, as MiniStack's state is its module's."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._known: dict[str, Any] = {}

    def install(self) -> None:
        """Replace MiniStack's functions, and restore the queues."""
        sqs._validate_redrive_policy = _validate_redrive_policy
        sqs._collect_msgs = self._collect
        sqs._expire_retained = self._expire
        sqs._dlq_sweep = self._redrive
        sqs._refresh_counts = self._count
        sqs._HANDLERS |= {
            "CreateQueue": self._create_queue,
            "SendMessage": self._sending(sqs._act_send_message),
            "SendMessageBatch": self._sending(sqs._act_send_message_batch),
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._each(self._delete, "DeleteMessageBatchRequestEntry"),
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": self._each(
                self._change_visibility, "ChangeMessageVisibilityBatchRequestEntry"
            ),
            "PurgeQueue": self._purge,
            "StartMessageMoveTask": self._move,
        }
        self._known = self._messages.queues()
        for url, queue in self._known.items():
            sqs._queues[url] = queue | {"messages": [], "dedup_cache": {}}
            sqs._queue_name_to_url[queue["name"]] = url

    def release_all(self) -> int:
        """Let all that was received be received again at once, and return how many messages these are."""
        return self._messages.release_all(time.time())

    def keep_queues(self) -> None:
        """Keep what has changed of the queues beside their messages. Raises sqlite3.Error."""
        found = {url: _kept(queue) for url, queue in sqs._queues.items()}
        for url in self._known.keys() - found.keys():
            self._messages.delete_queue(url)
        for url, document in found.items():
            if document != self._known.get(url):
                self._messages.keep_queue(url, document)
        self._known = found

    def _create_queue(self, data: Data, url: str) -> dict[str, Any]:
        if str(data.get("QueueName")).endswith(".fifo") or (data.get("Attributes") or {}).get("FifoQueue") == "true":
            raise sqs._Err("AWS.SimpleQueueService.UnsupportedOperation", "This SQS has no FIFO queues.")
        return sqs._act_create_queue(data, url)  # type: ignore[no-any-return]

    def _sending(self, send: Callable[[Data, str], dict[str, Any]]) -> Callable[[Data, str], dict[str, Any]]:
        """Return an action that lets MiniStack send, and keeps what it has sent."""

        def action(data: Data, url: str) -> dict[str, Any]:
            queue = sqs._get_q(data.get("QueueUrl", url))
            answer = send(data, url)
            sent, queue["messages"] = queue["messages"], []
            with self._messages.transaction():
                self._messages.add(queue["url"], sent)
            return answer

        return action

    def _collect(self, queue: Queue, limit: int, visibility_seconds: int) -> list[dict[str, Any]]:
        now = time.time()
        with self._messages.transaction():
            return self._messages.receive(queue["url"], limit, now, now + visibility_seconds)

    def _expire(self, queue: Queue) -> None:
        self._messages.expire(queue["url"], time.time() - int(queue["attributes"]["MessageRetentionPeriod"]))

    def _redrive(self, queue: Queue) -> None:
        if policy := json.loads(queue["attributes"].get("RedrivePolicy") or "{}"):
            target = sqs._queue_by_arn(policy["deadLetterTargetArn"])
            if target:
                receives = int(policy["maxReceiveCount"])
                self._messages.redrive(queue["url"], receives, target["url"], time.time())

    def _count(self, queue: Queue) -> None:
        self._expire(queue)
        counts = self._messages.count(queue["url"], time.time())
        queue["attributes"] |= {
            "ApproximateNumberOfMessages": str(counts.visible),
            "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
        }

    def _delete(self, data: Data, url: str) -> dict[str, Any]:
        queue = sqs._get_q(data.get("QueueUrl", url))
        if not self._messages.delete(queue["url"], _receipt(data)):
            raise _INVALID_RECEIPT
        return {}

    def _change_visibility(self, data: Data, url: str) -> dict[str, Any]:
        queue = sqs._get_q(data.get("QueueUrl", url))
        visible_at = time.time() + int(data.get("VisibilityTimeout", 30))
        if not self._messages.show_at(queue["url"], _receipt(data), visible_at):
            raise _INVALID_RECEIPT
        return {}

    def _each(self, act: Callable[[Data, str], dict[str, Any]], name: str) -> Callable[[Data, str], dict[str, Any]]:
        """Return an action that does this for each entry of a batch, and tells of each that failed."""

        def action(data: Data, url: str) -> dict[str, Any]:
            entries = data.get("Entries") or []
            sqs._validate_batch_entries(entries, name)
            answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
            with self._messages.transaction():
                for entry in entries:
                    try:
                        act({**data, **entry}, url)
                        answer["Successful"].append({"Id": entry["Id"]})
                    except sqs._Err as error:
                        failed = {"Code": error.code, "Message": error.message, "SenderFault": True}
                        answer["Failed"].append({"Id": entry["Id"], **failed})
            return answer

        return action

    def _purge(self, data: Data, url: str) -> dict[str, Any]:
        self._messages.purge(sqs._get_q(data.get("QueueUrl", url))["url"])
        return {}

    def _move(self, data: Data, url: str) -> dict[str, Any]:  # noqa: ARG002
        """Put dead letters back on their queue, at once."""
        source, target = (sqs._get_q(data[name].rpartition(":")[2]) for name in ("SourceArn", "DestinationArn"))
        self._messages.move(source["url"], target["url"], time.time())
        return {"TaskHandle": new_uuid()}


_INVALID_RECEIPT = sqs._Err("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")


def _validate_redrive_policy(text: str, validate: Callable[[str], None] = sqs._validate_redrive_policy) -> None:
    """Check a policy as MiniStack does, but for its bound of 1,000 receives: a failing message is kept for longer."""
    try:
        policy = json.loads(text)
        policy["maxReceiveCount"] = min(int(policy["maxReceiveCount"]), _MOST_RECEIVES)
    except (ValueError, TypeError, KeyError):  # what is wrong with it, MiniStack says
        validate(text)
    else:
        validate(json.dumps(policy))


def _receipt(data: Data) -> str:
    if not data.get("ReceiptHandle"):
        raise sqs._Err("MissingParameter", "The request must contain the parameter ReceiptHandle.")
    return str(data["ReceiptHandle"])


def _kept(queue: Queue) -> Queue:
    counts = [name for name in queue["attributes"] if name.startswith("ApproximateNumberOfMessages")]
    attributes = {name: value for name, value in queue["attributes"].items() if name not in counts}
    return {name: value for name, value in queue.items() if name not in _NOT_KEPT} | {"attributes": attributes}
