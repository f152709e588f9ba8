"""Fake S3 and SQS behave as the real adapters do against moto's server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import ClaimLost, ObjectChanged, ObjectMissing, Transient
from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore
from tests.support.aws_fakes import FakeBucket, FakeClaims, FakeQueue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

AnyBucket = Bucket | FakeBucket


class AnyQueue(Protocol):
    def send(self, messages: Sequence[Message]) -> list[Message]: ...


@pytest.fixture(params=["fake", "s3"])
def bucket(request: pytest.FixtureRequest) -> AnyBucket:
    if request.param == "fake":
        return FakeBucket()
    client: S3Client = request.getfixturevalue("s3")
    return Bucket(client, request.getfixturevalue("bucket_name"))


@pytest.fixture
def claims(bucket: AnyBucket) -> ClaimStore:
    return S3Claims(bucket) if isinstance(bucket, Bucket) else FakeClaims(bucket)


@pytest.fixture(params=["fake", "sqs"])
def queue(request: pytest.FixtureRequest) -> tuple[AnyQueue, Callable[[], list[Message]]]:
    """A queue, and what lies on it."""
    if request.param == "fake":
        fake = FakeQueue()
        return fake, lambda: fake.messages
    client: SQSClient = request.getfixturevalue("sqs")
    url: str = request.getfixturevalue("queue_url")
    return SqsQueue(client, url), lambda: received(client, url)


def received(client: SQSClient, url: str) -> list[Message]:
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [
        Message(found["Body"], {name: value["StringValue"] for name, value in found["MessageAttributes"].items()})
        for found in answer.get("Messages", [])
    ]


def test_what_is_put_is_there(bucket: AnyBucket) -> None:
    assert bucket.put("a/1", b"one") == bucket.name
    bucket.put("a/2", b"two")
    assert bucket.get("a/1") == b"one"
    assert bucket.exists("a/1")
    assert not bucket.exists("b")
    assert list(bucket.keys("a/")) == ["a/1", "a/2"]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(bucket: AnyBucket) -> None:
    bucket.put("a", b"")
    bucket.delete("a")
    bucket.delete("a")
    assert list(bucket.keys("")) == []


def test_what_was_never_put_is_missing(bucket: AnyBucket) -> None:
    with pytest.raises(ObjectMissing, match="nowhere"):
        bucket.get("nowhere")
    with pytest.raises(ObjectMissing, match="nowhere"):
        bucket.get_if_changed("nowhere", None)


def test_an_unchanged_object_is_not_read_again(bucket: AnyBucket) -> None:
    bucket.put("a", b"one")
    first = bucket.get_if_changed("a", None)
    assert first is not None
    assert first.content == b"one"
    assert bucket.get_if_changed("a", first.etag) is None
    bucket.put("a", b"two")
    second = bucket.get_if_changed("a", first.etag)
    assert second is not None
    assert second.content == b"two"


def test_of_two_who_write_a_new_object_the_second_finds_out(bucket: AnyBucket) -> None:
    bucket.put_if_unchanged("a", b"one", None)
    with pytest.raises(ObjectChanged, match="/a is not the object that was read"):
        bucket.put_if_unchanged("a", b"two", None)
    assert bucket.get("a") == b"one"


def test_an_object_is_replaced_only_as_long_as_it_is_the_one_that_was_read(bucket: AnyBucket) -> None:
    first = bucket.put_if_unchanged("a", b"one", None)
    second = bucket.put_if_unchanged("a", b"two", first)
    with pytest.raises(ObjectChanged):
        bucket.put_if_unchanged("a", b"three", first)
    assert bucket.get("a") == b"two"
    bucket.delete("a")
    with pytest.raises(ObjectChanged):
        bucket.put_if_unchanged("a", b"three", second)


def test_a_claim_is_kept_and_found(bucket: AnyBucket, claims: ClaimStore) -> None:
    name = claims.put("claims/1", b"body")
    assert claims.get(name, "claims/1") == b"body"


@pytest.mark.parametrize("key", ["claims/none", "models/manifest.json"])
def test_a_claim_that_is_not_there_is_lost(bucket: AnyBucket, claims: ClaimStore, key: str) -> None:
    bucket.put("models/manifest.json", b"{}")
    with pytest.raises(ClaimLost):
        claims.get(bucket.name, key)


def test_a_claim_in_another_bucket_is_not_followed(bucket: AnyBucket, claims: ClaimStore) -> None:
    bucket.put("claims/1", b"body")
    with pytest.raises(ClaimLost):
        claims.get("another", "claims/1")


def test_messages_arrive_with_their_attributes(queue: tuple[AnyQueue, Callable[[], list[Message]]]) -> None:
    sender, messages = queue
    sent = [Message(f'{{"n":{number}}}', {"kind": "inline", "n": str(number)}) for number in range(3)]
    assert sender.send(sent) == []
    assert sorted(messages(), key=lambda message: message.body) == sent


def test_a_queue_that_does_not_exist_is_worth_another_try(sqs: SQSClient, queue_url: str) -> None:
    gone = queue_url.rsplit("/", 1)[0] + f"/gone-{uuid.uuid4().hex[:8]}"
    with pytest.raises(Transient, match="sending 1 message"):
        SqsQueue(sqs, gone).send([Message("{}", {"kind": "inline"})])


def test_a_bucket_that_does_not_exist_is_worth_another_try(s3: S3Client) -> None:
    gone = Bucket(s3, f"gone-{uuid.uuid4().hex[:8]}")
    with pytest.raises(Transient, match="writing s3://gone-"):
        gone.put("a", b"")
    with pytest.raises(Transient, match="writing s3://gone-"):
        gone.put_if_unchanged("a", b"", None)
    with pytest.raises(Transient, match="reading s3://gone-"):
        gone.get("a")


def test_a_bucket_that_does_not_answer_is_worth_another_try(nowhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", nowhere)
    from offpath.aws.clients import s3_client

    with pytest.raises(Transient, match="s3://archive/a"):
        Bucket(s3_client(0.2, attempts=1), "archive").get("a")
