"""The queue of jobs in SQS."""

from typing import TYPE_CHECKING

from offpath.aws.errors import aws_errors
from training.worker.worker import Received

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# The longest that SQS waits for a message.
WAIT_SECONDS = 20
# The longest pause of a message that is for a newer worker. A thousand receives, after which SQS dead-letters it, then
# take longer than the 14 days that SQS keeps it.
LONGEST_PAUSE_SECONDS = 1_800


def pause_seconds(visibility_seconds: int, receives: int) -> int:
    """Return for how long a message that is for a newer worker is hidden after so many receives."""
    return max(visibility_seconds, min(visibility_seconds * receives, LONGEST_PAUSE_SECONDS))


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
                AttributeNames=["ApproximateReceiveCount"],
            )
        found = answer.get("Messages", [])
        return _received(found[0]) if found else None

    def extend(self, message: Received) -> None:
        """Let the visibility timeout begin anew."""
        self._change(message, self._visibility_seconds)

    def release(self, message: Received) -> None:
        """Let it be received again at once."""
        self._change(message, 0)

    def leave(self, message: Received) -> None:
        """Leave it to a newer worker: this one receives it ever more seldom, at least every half hour."""
        self._change(message, pause_seconds(self._visibility_seconds, message.receives))

    def delete(self, message: Received) -> None:
        """Take it off the queue."""
        with aws_errors(f"deleting a message from {self._url}"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def _change(self, message: Received, seconds: int) -> None:
        with aws_errors(f"changing when a message of {self._url} is visible"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )


def _received(message: "MessageTypeDef") -> Received:
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    return Received(message["Body"], message["ReceiptHandle"], receives)
