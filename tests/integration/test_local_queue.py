"""A start of the local stack makes queues and buckets once, and a stop tells what waits on the queues."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from local.aws.sqs import SqsConsumer
from local.settings import ARCHIVE, ARTIFACTS, DEAD_LETTERS, QUEUE, TRAINING, LocalSettings
from local.stack.storage import Storage
from local.testbed.servers import lasting_sqs_server
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SQS_MAX_BYTES, SqsQueue
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message, inline_message
from tests.support.builders.jobs import new_job
from tests.support.fakes.local import FakeScreen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def sqs(aws_endpoint: str, tmp_path: Path) -> "Iterator[SQSClient]":
    """A client of the local stack's SQS."""
    with lasting_sqs_server(tmp_path) as url:
        yield boto3.client("sqs", endpoint_url=url)


@pytest.fixture
def settings(sqs: "SQSClient") -> LocalSettings:
    port = int(sqs.meta.endpoint_url.rsplit(":", 1)[1])
    return LocalSettings(sqs_port=port, queue_max_receives=2, visibility_seconds=60)


@pytest.fixture
def clean(s3: "S3Client") -> Iterator[None]:
    yield
    bucket = Bucket(s3, ARCHIVE)
    for key in list(bucket.keys("")):
        bucket.delete(key)


@pytest.mark.usefixtures("clean")
def test_queues_and_buckets_are_made_once_and_messages_survive(
    s3: "S3Client", sqs: "SQSClient", settings: LocalSettings
) -> None:
    screen = FakeScreen()
    storage = Storage(s3, sqs, settings, screen)
    storage.create()
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert {ARCHIVE, ARTIFACTS} <= buckets
    queue, dead = (SqsQueue(sqs, settings.url_of(name)) for name in (QUEUE, DEAD_LETTERS))
    queue.send([Message("on its way", {"kind": "inline"}), Message("received", {})])
    SqsConsumer(sqs, settings.url_of(QUEUE)).receive(1, 0)
    dead.send([Message("poison", {"kind": "inline"})])
    storage.tell_of_waiting()
    storage.create()
    assert [SqsConsumer(sqs, settings.url_of(name)).waiting() for name in (QUEUE, DEAD_LETTERS)] == [(1, 1), (1, 0)]
    assert "2 message(s) wait on offpath-traces for the next start" in screen.text()
    assert "1 message(s) wait on offpath-traces-dlq for the next start" in screen.text()


@pytest.mark.usefixtures("clean")
def test_what_former_versions_saved_is_taken_up(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    screen = FakeScreen()
    storage, bucket = Storage(s3, sqs, settings, screen), Bucket(s3, ARCHIVE)
    storage.create()
    bucket.put(f"spill/{QUEUE}/1.json", spilled.dump(Message("on its way", {})))
    bucket.put(f"spill/{DEAD_LETTERS}/1.json", spilled.dump(Message("poison", {})))
    bucket.put(f"spill/{DEAD_LETTERS}/odd.json", b"odd")
    storage.create()
    assert [SqsConsumer(sqs, settings.url_of(name)).waiting() for name in (QUEUE, DEAD_LETTERS)] == [(0, 0), (1, 0)]
    assert "1 event(s) of the last run wait in s3://offpath-archive/spill/offpath-traces/" in screen.text()
    assert "1 message(s) of the last run are on offpath-traces-dlq again" in screen.text()
    assert "spill/offpath-traces-dlq/odd.json stays there: not a spilled message" in screen.text()


@pytest.mark.usefixtures("clean")
def test_a_job_without_a_message_is_queued_again(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    screen = FakeScreen()
    storage, training = Storage(s3, sqs, settings, screen), SqsConsumer(sqs, settings.url_of(TRAINING))
    storage.create()
    JobStore(Bucket(s3, ARCHIVE)).create(new_job())
    for _ in range(2):
        storage.create()
        assert training.waiting() == (1, 0)
    assert screen.text().count("1 job(s) that had not ended are on offpath-training again") == 1


@pytest.mark.usefixtures("clean")
def test_a_message_that_fails_too_often_is_dead_lettered(
    s3: "S3Client", sqs: "SQSClient", settings: LocalSettings
) -> None:
    Storage(s3, sqs, settings, FakeScreen()).create()
    SqsQueue(sqs, settings.url_of(QUEUE)).send([Message("poison", {})])
    consumer = SqsConsumer(sqs, settings.url_of(QUEUE))
    for _ in range(settings.queue_max_receives):
        consumer.release(consumer.receive(10, 0))
    assert consumer.receive(10, 0) == []
    (dead,) = SqsConsumer(sqs, settings.url_of(DEAD_LETTERS)).receive(10, 0)
    assert dead["Body"] == "poison"


@pytest.mark.usefixtures("clean")
def test_what_is_queued_is_kept_for_fourteen_days(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    Storage(s3, sqs, settings, FakeScreen()).create()
    for name in (QUEUE, DEAD_LETTERS):
        given = sqs.get_queue_attributes(QueueUrl=settings.url_of(name), AttributeNames=["All"])["Attributes"]
        assert given["MessageRetentionPeriod"] == "1209600"


@pytest.mark.usefixtures("clean")
def test_a_spilled_large_message_is_queued_as_a_claim_check(
    s3: "S3Client", sqs: "SQSClient", settings: LocalSettings
) -> None:
    storage, bucket = Storage(s3, sqs, settings, FakeScreen()), Bucket(s3, ARCHIVE)
    s3.create_bucket(Bucket=ARCHIVE)
    event = TraceEvent("ab" * 16, "offpath/iris", "x" * SQS_MAX_BYTES)
    bucket.put(spilled.key(DEAD_LETTERS, inline_message(event)), spilled.dump(inline_message(event)))

    storage.create()

    (received,) = SqsConsumer(sqs, settings.url_of(DEAD_LETTERS)).receive(10, 0)
    attributes = {name: value["StringValue"] for name, value in received["MessageAttributes"].items()}
    assert decode_message(Message(received["Body"], attributes), S3Claims(bucket)) == event
    assert list(bucket.keys("spill/")) == []


def test_queues_that_do_not_answer_are_named(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    screen = FakeScreen()
    Storage(s3, sqs, settings, screen).tell_of_waiting()
    assert "how much waits on offpath-traces is not known: reading the length of offpath-traces" in screen.text()
