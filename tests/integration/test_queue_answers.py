"""A message counts as sent only if SQS names it, whatever stands between, and no event is lost by an odd answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from offpath.aws.s3 import S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.testing import InMemoryBucket, ManualClock
from offpath.tracing._destinations import Destinations
from offpath.tracing._publisher import PublisherSettings, TracePublisher
from tests.support.builders.spans import ended_trace
from tests.support.servers.answering import Answering, answering

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

TAKEN = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "5"}
ODD = {
    "a page": b"<html><body>200 OK</body></html>",
    "nothing": b"",
    "an empty object": b"{}",
    "half a document": b'{"Successful": [{"Id": "0", "Mess',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"ok"',
    "no list": b'{"Successful": "all", "Failed": "none"}',
    "odd entries": b'{"Successful": [null, 7, "0", {}, {"Id": null}, {"Id": 0}, {"Id": []}], "Failed": [null, {}]}',
    "another's ids": json.dumps({"Successful": [{**TAKEN, "Id": "99"}]}).encode(),
    "only failures": b'{"Failed": [{"Id": "7"}, {"Id": "x"}, {}]}',
    "deep": b"[" * 100_000,
    "bytes": bytes(range(256)),
}


@pytest.fixture(scope="module")
def queue_at() -> Iterator[tuple[Answering, SqsQueue]]:
    """One server and one client for all tests: making a client takes longer than a test."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    with answering() as state:
        client: SQSClient = boto3.client("sqs", endpoint_url=state.url, config=config)
        yield state, SqsQueue(client, f"{state.url}/000000000000/traces")


@pytest.fixture
def server(queue_at: tuple[Answering, SqsQueue]) -> Answering:
    server, _ = queue_at
    server.status, server.content, server.content_type = 200, b"", "application/x-amz-json-1.0"
    return server


@pytest.fixture
def queue(queue_at: tuple[Answering, SqsQueue]) -> SqsQueue:
    return queue_at[1]


def publisher(queue: SqsQueue, bucket: InMemoryBucket, log: list[str]) -> TracePublisher:
    how = PublisherSettings("traces", "offpath", max_message_bytes=900_000, budget_seconds=0.1)
    return TracePublisher(Destinations(queue, S3Claims(bucket), bucket, log.append), how, ManualClock())


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("status", [200, 204, 301, 404, 500])
def test_an_odd_answer_is_no_receipt(server: Answering, queue: SqsQueue, name: str, status: int) -> None:
    server.content, server.status = ODD[name] if status != 204 else b"", status
    bucket, log, traces = InMemoryBucket(), list[str](), [ended_trace() for _ in range(3)]
    publisher(queue, bucket, log).publish(traces)
    assert len([key for key in bucket.objects if key.startswith("spill/")]) == 3
    assert log == []


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", ""])
def test_a_proxys_page_is_no_receipt(server: Answering, queue: SqsQueue, content_type: str) -> None:
    server.content, server.content_type = b"<html>sign in</html>", content_type
    bucket = InMemoryBucket()
    publisher(queue, bucket, []).publish([ended_trace()])
    assert len(bucket.objects) == 1


def test_what_an_answer_does_not_name_is_sent_again(server: Answering, queue: SqsQueue) -> None:
    server.content = json.dumps({"Successful": [{**TAKEN, "Id": "1"}]}).encode()
    messages = [Message(str(number), {}) for number in range(3)]
    assert queue.send(messages) == [messages[0], messages[2]]


def test_a_log_of_what_no_service_took_is_complete(server: Answering, queue: SqsQueue) -> None:
    server.content = b"<html/>"
    bucket, log, traces = InMemoryBucket(), list[str](), [ended_trace() for _ in range(12)]
    bucket.down = True
    publisher(queue, bucket, log).publish(traces)
    assert len(list(spilled.from_log(log))) == 12
