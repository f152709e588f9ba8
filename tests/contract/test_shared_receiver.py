"""A receiver in memory takes messages off a queue as SQS's does, over moto's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from offpath.aws.sqs import SqsQueue, SqsReceiver
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message, ReceivedMessage
from offpath.testing import InMemoryQueue, InMemoryReceiver

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Receiver(Protocol):
    def receive(self) -> ReceivedMessage | None: ...
    def extend(self, message: ReceivedMessage) -> None: ...
    def release(self, message: ReceivedMessage) -> None: ...
    def leave(self, message: ReceivedMessage) -> None: ...
    def delete(self, message: ReceivedMessage) -> None: ...


Ends = tuple[InMemoryQueue | SqsQueue, Receiver]


@pytest.fixture(params=["memory", "sqs"])
def ends(request: pytest.FixtureRequest) -> Ends:
    """A queue's producer and its receiver."""
    if request.param == "memory":
        queue = InMemoryQueue()
        return queue, InMemoryReceiver(queue)
    client: SQSClient = request.getfixturevalue("sqs")
    url: str = request.getfixturevalue("queue_url")
    return SqsQueue(client, url), SqsReceiver(client, url, 60, wait_seconds=0)


def received(receiver: Receiver) -> ReceivedMessage:
    """Return the next message, which there is."""
    message = receiver.receive()
    assert message is not None
    return message


def test_an_empty_queue_has_no_message(ends: Ends) -> None:
    assert ends[1].receive() is None


def test_a_message_is_received_once(ends: Ends) -> None:
    queue, receiver = ends
    queue.send([Message("one", {})])
    message = received(receiver)
    assert message.body == "one"
    assert receiver.receive() is None
    receiver.extend(message)
    assert receiver.receive() is None


def test_a_released_message_is_received_again_with_another_receipt(ends: Ends) -> None:
    queue, receiver = ends
    queue.send([Message("one", {})])
    first = received(receiver)
    receiver.release(first)
    again = received(receiver)
    assert (again.body, again.receipt != first.receipt) == ("one", True)


def test_message_that_is_left_stays_and_is_hidden(ends: Ends) -> None:
    queue, receiver = ends
    queue.send([Message("one", {})])
    first = received(receiver)
    receiver.release(first)
    again = received(receiver)
    assert (first.receives, again.receives) == (1, 2)
    receiver.leave(again)
    assert receiver.receive() is None
    receiver.release(again)
    left = received(receiver)
    assert (left.body, left.receives) == ("one", 3)


def test_deleted_message_may_be_deleted_again(ends: Ends) -> None:
    queue, receiver = ends
    queue.send([Message("one", {})])
    message = received(receiver)
    receiver.delete(message)
    receiver.delete(message)
    assert receiver.receive() is None


@pytest.fixture(params=["memory", "sqs"])
def gone(request: pytest.FixtureRequest) -> Receiver:
    """The receiver of a queue that is not available."""
    if request.param == "memory":
        queue = InMemoryQueue("gone")
        queue.down = True
        return InMemoryReceiver(queue)
    client: SQSClient = request.getfixturevalue("sqs")
    return SqsReceiver(client, f"{request.getfixturevalue('queue_url')}-gone", 60, wait_seconds=0)


def test_a_queue_that_cannot_be_had_is_worth_another_try(gone: Receiver) -> None:
    with pytest.raises(Transient, match=r"receiving from .*gone"):
        gone.receive()
