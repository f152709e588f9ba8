"""The queues and the bucket of a pipeline at moto's server, and a CloudFormation stack whose outputs name them."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from local.aws.lambda_event import sqs_event
from local.aws.sqs import SqsConsumer
from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SqsQueue
from offpath_cli.app import app
from tests.support.servers.trace_writer_lambda import Context, WriterFunction


@dataclass
class MotoPipeline:
    """What the commands of a person find, and the trace writer behind its queue. mlflow_url: MLflow's address."""

    bucket_name: str
    queue_url: str
    mlflow_url: str
    monkeypatch: pytest.MonkeyPatch
    stack: str = field(default_factory=lambda: f"offpath-{uuid.uuid4().hex[:8]}")
    dead_letter_url: str = ""

    def __post_init__(self) -> None:
        name = f"{self.queue_url.rsplit('/', 1)[-1]}-dlq"
        self.dead_letter_url = sqs_client().create_queue(QueueName=name)["QueueUrl"]
        outputs = {
            "ArchiveBucket": self.bucket_name,
            "TraceQueueUrl": self.queue_url,
            "DeadLetterQueueUrl": self.dead_letter_url,
            "MlflowUrl": self.mlflow_url,
        }
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {key: {"Value": value} for key, value in outputs.items()},
        }
        client = boto3.client("cloudformation")
        client.create_stack(StackName=self.stack, TemplateBody=json.dumps(template))

    @property
    def bucket(self) -> Bucket:
        return Bucket(s3_client(), self.bucket_name)

    @property
    def events(self) -> SqsQueue:
        return SqsQueue(sqs_client(), self.queue_url)

    @property
    def dead(self) -> SqsConsumer:
        return SqsConsumer(sqs_client(), self.dead_letter_url)

    def waiting(self) -> int:
        """Return how many messages are on the queue of events."""
        return sum(SqsConsumer(sqs_client(), self.queue_url).waiting())

    def write(self, **settings: str) -> None:
        """Let the trace writer write what is on the queue, once; what it leaves can be received again at once."""
        known = {"bucket": self.bucket_name, "queue_url": self.queue_url, "mlflow_url": self.mlflow_url}
        known |= {"dead_letter_url": self.dead_letter_url, "max_receives": "1"}
        function = WriterFunction(self.monkeypatch, **{**known, **settings})
        queue = SqsConsumer(sqs_client(), self.queue_url)
        while messages := queue.receive(10, wait_seconds=0):
            failed = function.handle(sqs_event(messages, queue.name), Context())
            queue.delete([message for message in messages if message["MessageId"] not in failed])
            if left := [message for message in messages if message["MessageId"] in failed]:
                queue.release(left)
                return

    def run(self, *arguments: str, answer: str = "") -> Result:
        """Run `offpath …` for this stack. answer: what is typed."""
        environ = {"COLUMNS": "250", "OFFPATH_STACK": self.stack}
        return CliRunner().invoke(app, list(arguments), input=answer, env=environ, catch_exceptions=False)

    def json(self, *arguments: str) -> Any:
        """Run `offpath … --json`, and return what it prints."""
        return json.loads(self.run(*arguments, "--json").stdout)
