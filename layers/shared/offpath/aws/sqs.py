"""Send messages to SQS queues and receive them, and put messages together in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from offpath.aws.errors import aws_errors
from offpath.contracts.message import Message, ReceivedMessage, TypedAttribute

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_MAX_BATCH = 10
SQS_MAX_BYTES = 1024 * 1024
SQS_MAX_ATTRIBUTES = 10
SQS_MAX_WAIT_SECONDS = 20
# The longest pause of a message that is left for a newer version. A thousand receives, after which SQS dead-letters it,
# then take longer than the 14 days that SQS keeps it.
LONGEST_PAUSE_SECONDS = 1_800

_COUNTS = frozenset(f"ApproximateNumberOfMessages{where}" for where in ("", "NotVisible", "Delayed"))

T = TypeVar("T")


def batches(
    items: Iterable[T], size_of: Callable[[T], int], max_items: int = SQS_MAX_BATCH, max_bytes: int = SQS_MAX_BYTES
) -> Iterator[list[T]]:
    """Yield the items in order, at most so many and so many bytes together; one that is larger stands alone.

    size_of: an item's size in bytes. The limits are by default those of a request to SQS.
    """
    batch: list[T] = []
    size = 0
    for item in items:
        weight = size_of(item)
        if batch and (len(batch) == max_items or size + weight > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


def count_messages(client: "SQSClient", url: str) -> int:
    """Return how many messages are on a queue, roughly: those in flight and delayed ones, too. Raises Transient."""
    with aws_errors(f"asking how many messages are on {url}"):
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return sum(int(value) for name, value in answer["Attributes"].items() if name in _COUNTS)


class SqsQueue:
    """An SQS queue, as a producer sees it."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; return those SQS did not take. Raises Transient.

        A message was taken if the answer names it as successful. It was not if the answer, whatever its status, is of
        someone else: a proxy's page, half a document, nothing at all.
        """
        entries = [_entry(str(index), message) for index, message in enumerate(messages)]
        with aws_errors(f"sending {len(messages)} message(s) to {self._url}"):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        taken = _successful(answer)
        return [message for index, message in enumerate(messages) if str(index) not in taken]


class SqsVisibility:
    """Hide messages of an SQS queue that somebody else has received, such as Lambda for a function."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Hide at most ten messages for so long from now; one that is gone is no error. Raises Transient."""
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        with aws_errors(f"changing when {len(receipts)} message(s) of {self._url} are visible"):
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]


class SqsReceiver:
    """Receive messages from an SQS queue one at a time. Every method may raise Transient.

    visibility_seconds: for how long a message that was received is hidden from other consumers. wait_seconds: how long
    `receive` waits for a message.
    """

    def __init__(
        self, client: "SQSClient", url: str, visibility_seconds: int, wait_seconds: int = SQS_MAX_WAIT_SECONDS
    ) -> None:
        self._client = client
        self._url = url
        self._visibility_seconds = visibility_seconds
        self._wait_seconds = wait_seconds

    def receive(self) -> ReceivedMessage | None:
        """Return the next message, or None if none comes in time."""
        with aws_errors(f"receiving from {self._url}"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=self._wait_seconds,
                VisibilityTimeout=self._visibility_seconds,
                AttributeNames=["ApproximateReceiveCount"],
            )
        messages = answer.get("Messages")
        return _received(messages[0]) if messages else None

    def extend(self, message: ReceivedMessage) -> None:
        """Let the visibility timeout of a message begin anew."""
        self._change_visibility(message, self._visibility_seconds)

    def release(self, message: ReceivedMessage) -> None:
        """Let a message be received again at once."""
        self._change_visibility(message, 0)

    def leave(self, message: ReceivedMessage) -> None:
        """Leave a message for a newer version. It is received again after longer and longer pauses."""
        self._change_visibility(message, pause_seconds(self._visibility_seconds, message.receives))

    def delete(self, message: ReceivedMessage) -> None:
        """Take a message off the queue."""
        with aws_errors(f"deleting a message from {self._url}"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def _change_visibility(self, message: ReceivedMessage, seconds: int) -> None:
        with aws_errors(f"changing when a message of {self._url} is visible"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )


def _successful(answer: object) -> set[str]:
    """Return the ids of the messages that the answer says SQS has."""
    entries = answer.get("Successful") if isinstance(answer, dict) else None
    named = entries if isinstance(entries, list) else []
    return {entry["Id"] for entry in named if isinstance(entry, dict) and isinstance(entry.get("Id"), str)}


def pause_seconds(visibility_seconds: int, receives: int) -> int:
    """Return for how long a message that is left for a newer version is hidden after so many receives."""
    return max(visibility_seconds, min(visibility_seconds * receives, LONGEST_PAUSE_SECONDS))


def _received(message: "MessageTypeDef") -> ReceivedMessage:
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    return ReceivedMessage(message["Body"], message["ReceiptHandle"], receives)


def _entry(entry_id: str, message: Message) -> "SendMessageBatchRequestEntryTypeDef":
    attributes = {name: _sqs_attribute(attribute) for name, attribute in message.all_attributes.items()}
    return {"Id": entry_id, "MessageBody": message.body, "MessageAttributes": attributes}


def _sqs_attribute(attribute: TypedAttribute) -> "MessageAttributeValueTypeDef":
    if isinstance(attribute.value, bytes):
        return {"DataType": attribute.data_type, "BinaryValue": attribute.value}
    return {"DataType": attribute.data_type, "StringValue": attribute.value}
