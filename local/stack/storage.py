"""Make the stack's queues and buckets at its start, and tell what waits in them."""

import json
from typing import TYPE_CHECKING

from local.aws.sqs import SqsConsumer
from local.settings import ARCHIVE, ARTIFACTS, DEAD_LETTERS, QUEUE, TRAINING, LocalSettings
from local.stack.open_jobs import resume
from local.stack.screen import Screen
from offpath.aws.errors import aws_errors
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import OffpathError
from offpath.contracts.names import spill_prefix
from offpath.replay import replay

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

RETENTION_SECONDS = 14 * 24 * 60 * 60  # the longest that SQS keeps a message


class Storage:
    """Keep the queues and buckets of the stack, over clients of its own S3 and SQS."""

    def __init__(self, s3: "S3Client", sqs: "SQSClient", settings: LocalSettings, screen: Screen) -> None:
        self._s3 = s3
        self._sqs = sqs
        self._settings = settings
        self._screen = screen
        self._bucket = Bucket(s3, ARCHIVE)

    def create(self) -> None:
        """Make buckets and queues that do not exist, and put dead letters in S3 on theirs. Raises Transient.

        Spilled events stay in S3 until the writer has taken them up from there. Former versions had queues in memory,
        and saved them and their dead letters to S3.
        """
        self._create_buckets()
        self._create_queues()
        self._tell_of_spilled()
        self._replay(DEAD_LETTERS)
        self._resume_jobs()

    def tell_of_waiting(self) -> None:
        """Say how much waits on the queues for the next start."""
        for name in (QUEUE, DEAD_LETTERS):
            try:
                waiting = sum(SqsConsumer(self._sqs, self._settings.url_of(name)).waiting())
            except OffpathError as error:  # whatever it is, a stop goes on
                self._screen.problem(f"how much waits on {name} is not known: {error}")
            else:
                if waiting:
                    self._screen.step(f"{waiting} message(s) wait on {name} for the next start")

    def _create_buckets(self) -> None:
        with aws_errors("creating the buckets"):
            existing = {bucket["Name"] for bucket in self._s3.list_buckets()["Buckets"]}
            for name in (ARCHIVE, ARTIFACTS):
                if name not in existing:
                    self._s3.create_bucket(Bucket=name)

    def _create_queues(self) -> None:
        with aws_errors("creating the queues"):
            dead = self._create_queue(DEAD_LETTERS, {})
            arn = self._sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": self._settings.queue_max_receives}
            visibility = str(self._settings.visibility_seconds)
            self._create_queue(QUEUE, {"VisibilityTimeout": visibility, "RedrivePolicy": json.dumps(redrive)})
            self._create_queue(TRAINING, {})

    def _create_queue(self, name: str, attributes: "dict[QueueAttributeNameType, str]") -> str:
        given = attributes | {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
        return self._sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]

    def _tell_of_spilled(self) -> None:
        spilled = sum(1 for _ in self._bucket.keys(spill_prefix(QUEUE)))
        if spilled:
            place = f"s3://{ARCHIVE}/{spill_prefix(QUEUE)}"
            self._screen.step(f"{spilled} event(s) of the last run wait in {place}: the writer takes them up")

    def _replay(self, name: str) -> None:
        producer = SqsQueue(self._sqs, self._settings.url_of(name))
        replayed = replay(self._bucket, S3Claims(self._bucket), name, producer)
        if replayed.queued:
            self._screen.step(f"{replayed.queued} message(s) of the last run are on {name} again")
        for key, reason in replayed.left.items():
            self._screen.problem(f"s3://{ARCHIVE}/{key} stays there: {reason}")

    def _resume_jobs(self) -> None:
        url = self._settings.url_of(TRAINING)
        if any(SqsConsumer(self._sqs, url).waiting()):
            return
        queued = resume(JobStore(self._bucket), SqsQueue(self._sqs, url))
        if queued:
            self._screen.step(f"{queued} job(s) that had not ended are on {TRAINING} again")
