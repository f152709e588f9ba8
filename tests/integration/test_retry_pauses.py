"""The writer's handler lets messages come again soon, over a real queue whose file tells when."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.aws.lambda_event import sqs_event
from local.aws.sqs import SqsConsumer
from local.testbed.servers import lasting_sqs_server
from offpath.aws.sqs import SqsQueue
from offpath.contracts.message import Message
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.mlflow_stub import error, stub_mlflow
from tests.support.servers.trace_writer_lambda import Context, WriterFunction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def lasting(tmp_path: Path, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SQSClient]:
    """A client of an SQS whose file can be looked into."""
    with lasting_sqs_server(tmp_path) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        yield boto3.client("sqs", endpoint_url=url)


def hidden_for(folder: Path) -> list[float]:
    """Return for how long each message is hidden from now, in seconds."""
    with sqlite3.connect(folder / "queues.db") as database:
        return [at - time.time() for (at,) in database.execute("SELECT visible_at FROM messages ORDER BY visible_at")]


def failing_batch(client: SQSClient, url: str) -> dict[str, Any]:
    """Return Lambda's event for an event of a trace, and for one that is none."""
    SqsQueue(client, url).send([inline_message(prediction_event()), Message("not json", {})])
    return sqs_event(SqsConsumer(client, url).receive(10, 0), "traces")


def test_what_mlflow_did_not_take_comes_again_soon(
    bucket_name: str, lasting: SQSClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = lasting.create_queue(QueueName="traces", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    with stub_mlflow() as stub:
        stub.answer = lambda _: error(503)
        function = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=stub.url, queue_url=url)
        response = function._module.handler(failing_batch(lasting, url), Context(4_000))
    assert len(response["batchItemFailures"]) == 2
    soon, as_the_queue_says = hidden_for(tmp_path)
    assert soon <= 15
    assert as_the_queue_says > 60


def test_a_queue_that_does_not_answer_keeps_its_own_timeout(
    bucket_name: str, lasting: SQSClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nowhere: str
) -> None:
    url = lasting.create_queue(QueueName="traces", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    event = failing_batch(lasting, url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", nowhere)
    with stub_mlflow() as stub:
        stub.answer = lambda _: error(503)
        function = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=stub.url, queue_url=url)
        response = function._module.handler(event, Context(4_000))
    assert len(response["batchItemFailures"]) == 2
    assert min(hidden_for(tmp_path)) > 60
