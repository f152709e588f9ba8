"""Consume an SQS queue over boto3."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from local.aws.lambda_event import SqsMessage
from offpath.aws.errors import aws_errors
from offpath.aws.sqs import SQS_MAX_BATCH

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsConsumer:
    """Consume a queue at an SQS endpoint. Every method raises Transient when SQS does not answer or refuses.

    visibility_seconds: for how long a message that was received is hidden; without it, as long as the queue says.
    """

    def __init__(self, client: "SQSClient", url: str, visibility_seconds: int | None = None) -> None:
        self._client = client
        self._url = url
        self._hidden: Any = {} if visibility_seconds is None else {"VisibilityTimeout": visibility_seconds}
        self.name = url.rsplit("/", 1)[-1]

    def receive(self, limit: int, wait_seconds: int) -> Sequence[SqsMessage]:
        """Return at most ten messages, with all their attributes."""
        with aws_errors(f"receiving from {self.name}"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, SQS_MAX_BATCH),
                WaitTimeSeconds=wait_seconds,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
                **self._hidden,
            )
        return answer.get("Messages", [])

    def delete(self, messages: Sequence[SqsMessage]) -> None:
        """Take these off the queue; one that SQS keeps is delivered again."""
        for entries in _entries(messages):
            with aws_errors(f"deleting {len(entries)} message(s) from {self.name}"):
                self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def release(self, messages: Sequence[SqsMessage]) -> None:
        """Let these be received again at once; one whose receipt is no longer valid can be already."""
        for entries in _entries(messages):
            now: Any = [entry | {"VisibilityTimeout": 0} for entry in entries]
            with aws_errors(f"releasing {len(entries)} message(s) of {self.name}"):
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=now)

    def waiting(self) -> tuple[int, int]:
        """Return how many messages can be received, and how many are in flight: received, not deleted or released."""
        with aws_errors(f"reading the length of {self.name}"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])["Attributes"]
        return int(answer["ApproximateNumberOfMessages"]), int(answer["ApproximateNumberOfMessagesNotVisible"])


def _entries(messages: Sequence[SqsMessage]) -> Iterator[Any]:
    for start in range(0, len(messages), SQS_MAX_BATCH):
        chunk = messages[start : start + SQS_MAX_BATCH]
        yield [{"Id": str(index), "ReceiptHandle": m["ReceiptHandle"]} for index, m in enumerate(chunk)]
