"""Send messages to an SQS queue, in batches that it takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from offpath.aws.errors import aws_errors
from offpath.contracts.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_MAX_BATCH = 10
SQS_MAX_BYTES = 1024 * 1024

T = TypeVar("T")


def batches(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in order, at most ten and at most 1 MiB together; one that is larger stands alone."""
    batch: list[T] = []
    size = 0
    for item in items:
        weight = size_of(item)
        if batch and (len(batch) == SQS_MAX_BATCH or size + weight > SQS_MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


class SqsQueue:
    """An SQS queue, as a producer sees it."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; return those SQS did not take. Raises Transient."""
        entries = [_entry(str(index), message) for index, message in enumerate(messages)]
        with aws_errors(f"sending {len(messages)} message(s) to {self._url}"):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return [messages[int(failed["Id"])] for failed in answer.get("Failed", [])]


def _entry(entry_id: str, message: Message) -> "SendMessageBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
    }
    return {"Id": entry_id, "MessageBody": message.body, "MessageAttributes": attributes}
