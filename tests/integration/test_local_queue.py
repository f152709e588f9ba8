"""A start of the local stack leaves saved events to the writer, and restores the queue of dead letters."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from local.aws.sqs import SqsConsumer
from local.settings import ARCHIVE, ARTIFACTS, DEAD_LETTERS, QUEUE, LocalSettings
from local.stack.storage import Storage
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SQS_MAX_BYTES, SqsQueue
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message, inline_message
from tests.support.fakes.local import FakeScreen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def settings(moto_url: str) -> LocalSettings:
    return LocalSettings(sqs_port=int(moto_url.rsplit(":", 1)[1]), queue_max_receives=2, visibility_seconds=60)


@pytest.fixture
def clean(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> Iterator[None]:
    yield
    for name in (QUEUE, DEAD_LETTERS):
        sqs.delete_queue(QueueUrl=settings.url_of(name))


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
    queue.send([Message("on its way", {"kind": "inline"})])
    dead.send([Message("poison", {"kind": "inline"})])
    storage.save(lambda: True)
    assert [SqsConsumer(sqs, settings.url_of(name)).waiting() for name in (QUEUE, DEAD_LETTERS)] == [(0, 0), (0, 0)]
    s3.put_object(Bucket=ARCHIVE, Key=f"spill/{DEAD_LETTERS}/odd.json", Body=b"odd")
    storage.create()
    assert [SqsConsumer(sqs, settings.url_of(name)).waiting() for name in (QUEUE, DEAD_LETTERS)] == [(0, 0), (1, 0)]
    assert "1 message(s) of offpath-traces wait in s3://offpath-archive/spill/offpath-traces/" in screen.text()
    assert "1 message(s) of the last run wait in s3://offpath-archive/spill/offpath-traces/" in screen.text()
    assert "1 message(s) of the last run are on offpath-traces-dlq again" in screen.text()
    assert "spill/offpath-traces-dlq/odd.json stays there: not a spilled message" in screen.text()
    [saved] = Bucket(s3, ARCHIVE).keys(f"spill/{QUEUE}/")
    for key in (saved, f"spill/{DEAD_LETTERS}/odd.json"):
        s3.delete_object(Bucket=ARCHIVE, Key=key)


@pytest.mark.usefixtures("clean")
def test_a_message_that_fails_too_often_is_dead_lettered(
    s3: "S3Client", sqs: "SQSClient", settings: LocalSettings
) -> None:
    screen = FakeScreen()
    storage = Storage(s3, sqs, settings, screen)
    storage.create()
    SqsQueue(sqs, settings.url_of(QUEUE)).send([Message("poison", {})])
    consumer = SqsConsumer(sqs, settings.url_of(QUEUE))
    for _ in range(settings.queue_max_receives):
        consumer.release(consumer.receive(10, 0))
    assert consumer.receive(10, 0) == []
    (dead,) = SqsConsumer(sqs, settings.url_of(DEAD_LETTERS)).receive(10, 0)
    assert dead["Body"] == "poison"
    storage.save(lambda: True)
    assert "1 message(s) of offpath-traces-dlq were received by a killed writer" in screen.text()


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


@pytest.mark.usefixtures("clean")
def test_a_failed_save_leaves_the_other_queue_saved(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    class Odd:
        """An S3 that says of some keys what it says of objects that are not there."""

        def put_object(self, **arguments: Any) -> Any:
            if DEAD_LETTERS not in arguments["Key"]:
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "PutObject")
            return s3.put_object(**arguments)

    screen = FakeScreen()
    Storage(s3, sqs, settings, screen).create()
    for name in (QUEUE, DEAD_LETTERS):
        SqsQueue(sqs, settings.url_of(name)).send([Message(name, {})])

    Storage(cast("S3Client", Odd()), sqs, settings, screen).save(lambda: True)

    assert "what is on offpath-traces could not be saved: writing s3://offpath-archive/spill/" in screen.text()
    assert "1 message(s) of offpath-traces-dlq wait in" in screen.text()
    for key in list(Bucket(s3, ARCHIVE).keys("spill/")):
        s3.delete_object(Bucket=ARCHIVE, Key=key)


def test_a_queue_that_cannot_be_saved_is_named(s3: "S3Client", sqs: "SQSClient", settings: LocalSettings) -> None:
    screen = FakeScreen()
    Storage(s3, sqs, settings, screen).save(lambda: True)
    assert "what is on offpath-traces could not be saved: receiving from offpath-traces" in screen.text()


def test_a_consumer_may_say_how_long_messages_are_hidden(sqs: "SQSClient", queue_url: str) -> None:
    SqsQueue(sqs, queue_url).send([Message("body", {})])
    never_hidden, as_the_queue_says = SqsConsumer(sqs, queue_url, visibility_seconds=0), SqsConsumer(sqs, queue_url)
    assert [len(never_hidden.receive(10, 0)) for _ in range(2)] == [1, 1]
    assert [len(as_the_queue_says.receive(10, 0)) for _ in range(2)] == [1, 0]
