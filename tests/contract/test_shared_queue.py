"""A queue in memory, and the local stack's SQS, behave as SQS does, at both ends, against moto's server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest

from local.aws.sqs import SqsConsumer
from local.testbed.servers import lasting_sqs_server
from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message, TypedAttribute
from offpath.testing import InMemoryQueue
from tests.support.servers.held_sqs import held_sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Received = Mapping[str, Any]


class Producer(Protocol):
    def send(self, messages: Sequence[Message]) -> list[Message]: ...


class Consumer(Protocol):
    def receive(self, limit: int, wait_seconds: int) -> Sequence[Received]: ...
    def delete(self, messages: Sequence[Received]) -> None: ...
    def release(self, messages: Sequence[Received]) -> None: ...
    def waiting(self) -> tuple[int, int]: ...


@dataclass
class Ends:
    """Both ends of a queue."""

    producer: Producer
    consumer: Consumer


@pytest.fixture(scope="module")
def lasting_sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQSClient]:
    """A client of the local stack's SQS."""
    with lasting_sqs_server(tmp_path_factory.mktemp("sqs")) as url:
        yield boto3.client("sqs", endpoint_url=url)


@pytest.fixture(params=["memory", "lasting", "sqs", "sqs behind the proxy"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """Both ends of an empty queue: in memory, in SQS, and in SQS through the proxy that could hold requests."""
    if request.param == "memory":
        queue = InMemoryQueue()
        yield Ends(queue, queue)
        return
    if request.param == "lasting":
        lasting = request.getfixturevalue("lasting_sqs")
        url = lasting.create_queue(QueueName=f"traces-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        yield Ends(SqsQueue(lasting, url), SqsConsumer(lasting, url))
        return
    client, url = request.getfixturevalue("sqs"), request.getfixturevalue("queue_url")
    if request.param == "sqs":
        yield Ends(SqsQueue(client, url), SqsConsumer(client, url))
        return
    with held_sqs(request.getfixturevalue("moto_url")) as held:
        held.release()
        through: SQSClient = boto3.client("sqs", endpoint_url=held.url)
        yield Ends(SqsQueue(through, url), SqsConsumer(through, url))


@pytest.fixture(params=["memory", "lasting", "sqs"])
def gone(request: pytest.FixtureRequest) -> Ends:
    """Both ends of a queue that is not available."""
    if request.param == "memory":
        queue = InMemoryQueue()
        queue.down = True
        return Ends(queue, queue)
    client: SQSClient = request.getfixturevalue("sqs" if request.param == "sqs" else "lasting_sqs")
    url = request.getfixturevalue("queue_url").rsplit("/", 1)[0] + f"/gone-{uuid.uuid4().hex[:8]}"
    return Ends(SqsQueue(client, url), SqsConsumer(client, url))


def send(ends: Ends, count: int) -> None:
    """Put messages on the queue, ten at a time."""
    for start in range(0, count, 10):
        bodies = map(str, range(start, min(start + 10, count)))
        assert ends.producer.send([Message(body, {}) for body in bodies]) == []


def test_messages_arrive_with_their_attributes(ends: Ends) -> None:
    sent = [Message(f'{{"n":{number}}}', {"kind": "inline", "n": str(number)}) for number in range(3)]
    assert ends.producer.send(sent) == []
    received = [
        Message(found["Body"], {name: value["StringValue"] for name, value in found["MessageAttributes"].items()})
        for found in ends.consumer.receive(10, 0)
    ]
    assert sorted(received, key=lambda message: message.body) == sent


def test_a_message_comes_with_all_that_an_event_needs(ends: Ends) -> None:
    ends.producer.send([Message("body", {"kind": "inline", "trace_id": "ü"})])
    (received,) = ends.consumer.receive(10, 0)
    assert {"MessageId", "ReceiptHandle"} <= received.keys()
    assert (received["Body"], received["MD5OfBody"]) == ("body", "841a2d689ad86bd1611447453c22c6fc")
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received["MessageAttributes"]["kind"] == {"StringValue": "inline", "DataType": "String"}
    assert received["MD5OfMessageAttributes"] == "3e9fa8a39fadd883e6ae4fff61a74b56"


def test_attributes_keep_their_data_types(ends: Ends) -> None:
    typed = {
        "count": TypedAttribute("Number", "7"),
        "photo": TypedAttribute("Binary.png", b"\x00\xff"),
        "unit": TypedAttribute("String.unit", "cm"),
    }
    assert ends.producer.send([Message("body", {"kind": "inline", "unit": "cm"}, typed)]) == []
    (received,) = ends.consumer.receive(10, 0)
    assert received["MessageAttributes"] == {
        "count": {"StringValue": "7", "DataType": "Number"},
        "kind": {"StringValue": "inline", "DataType": "String"},
        "photo": {"BinaryValue": b"\x00\xff", "DataType": "Binary.png"},
        "unit": {"StringValue": "cm", "DataType": "String.unit"},
    }
    assert received["MD5OfMessageAttributes"] == "bf28af959622d29236c5a8793765173b"


def test_a_message_without_attributes_has_no_digest_of_them(ends: Ends) -> None:
    send(ends, 1)
    (received,) = ends.consumer.receive(10, 0)
    assert not {"MessageAttributes", "MD5OfMessageAttributes"} & received.keys()


def test_no_more_than_ten_come_at_once(ends: Ends) -> None:
    send(ends, 20)
    assert len(ends.consumer.receive(15, 0)) == 10
    assert len(ends.consumer.receive(3, 0)) == 3


@pytest.mark.parametrize(
    "messages",
    [[], [Message(str(number), {}) for number in range(11)], [Message("x" * 600_000, {})] * 2],
    ids=["none", "eleven", "more than 1 MiB"],
)
def test_a_batch_that_sqs_does_not_take_is_refused_whole(ends: Ends, messages: list[Message]) -> None:
    with pytest.raises(Transient, match=f"sending {len(messages)} message"):
        ends.producer.send(messages)
    assert ends.consumer.waiting() == (0, 0)


def test_received_message_is_hidden_until_deleted_or_released(ends: Ends) -> None:
    send(ends, 3)
    first, *others = ends.consumer.receive(10, 0)
    assert ends.consumer.waiting() == (0, 3)
    assert ends.consumer.receive(10, 0) == []
    ends.consumer.delete([first])
    assert ends.consumer.waiting() == (0, 2)
    ends.consumer.release(others)
    assert ends.consumer.waiting() == (2, 0)
    again = ends.consumer.receive(10, 0)
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in again] == ["2", "2"]


def test_releasing_or_deleting_what_is_gone_is_no_matter(ends: Ends) -> None:
    send(ends, 2)
    first, second = ends.consumer.receive(10, 0)
    ends.consumer.delete([first])
    ends.consumer.release([first, second])
    ends.consumer.delete([first])
    assert ends.consumer.waiting() == (1, 0)


def test_many_are_deleted_in_as_many_requests_as_it_takes(ends: Ends) -> None:
    send(ends, 30)
    received = [message for _ in range(3) for message in ends.consumer.receive(10, 0)]
    ends.consumer.delete(received[:15])
    ends.consumer.release(received[15:])
    assert ends.consumer.waiting() == (15, 0)


def test_a_queue_that_cannot_be_had_is_worth_another_try(gone: Ends) -> None:
    with pytest.raises(Transient, match="sending 1 message"):
        gone.producer.send([Message("{}", {"kind": "inline"})])
    with pytest.raises(Transient, match="receiving from"):
        gone.consumer.receive(10, 0)
