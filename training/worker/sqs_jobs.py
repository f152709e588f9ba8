"""The queue of jobs in SQS."""

from typing import TYPE_CHECKING

from offpath.aws.errors import aws_errors
from training.worker.worker import Received

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The longest that SQS waits for a message.
WAIT_SECONDS = 20


class SqsJobs:
    """A queue at an SQS endpoint. Every method raises Transient when SQS does not answer or refuses."""

    def __init__(
        self, client: "SQSClient", url: str, visibility_seconds: int, wait_seconds: int = WAIT_SECONDS
    ) -> None:
        self._client = client
        self._url = url
        self._visibility_seconds = visibility_seconds
        self._wait_seconds = wait_seconds

    def receive(self) -> Received | None:
        """The next message, which others do not see until the visibility timeout is over; waits for one."""
        with aws_errors(f"receiving from {self._url}"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=self._wait_seconds,
                VisibilityTimeout=self._visibility_seconds,
            )
        found = answer.get("Messages", [])
        return Received(found[0]["Body"], found[0]["ReceiptHandle"]) if found else None

    def extend(self, message: Received) -> None:
        """Let the visibility timeout begin anew."""
        self._change(message, self._visibility_seconds)

    def release(self, message: Received) -> None:
        """Let it be received again at once."""
        self._change(message, 0)

    def delete(self, message: Received) -> None:
        """Take it off the queue."""
        with aws_errors(f"deleting a message from {self._url}"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def _change(self, message: Received, seconds: int) -> None:
        with aws_errors(f"changing when a message of {self._url} is visible"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )
