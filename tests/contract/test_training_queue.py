"""The worker's queue: the fake behaves as SQS does, over moto's server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from tests.support.worker_fakes import FakeJobQueue
from training.worker.sqs_jobs import SqsJobs
from training.worker.worker import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Add = Callable[[str], object]


@pytest.fixture(params=["fake", "sqs"])
def queue(request: pytest.FixtureRequest) -> tuple[Queue, Add]:
    if request.param == "fake":
        fake = FakeJobQueue()
        return fake, fake.add
    client: SQSClient = request.getfixturevalue("sqs")
    url: str = request.getfixturevalue("queue_url")
    sender = SqsQueue(client, url)
    return SqsJobs(client, url, 60, wait_seconds=0), lambda body: sender.send([Message(body, {})])


def test_a_message_is_received_once(queue: tuple[Queue, Add]) -> None:
    jobs, add = queue
    assert jobs.receive() is None
    add("one")
    message = jobs.receive()
    assert message is not None
    assert message.body == "one"
    jobs.extend(message)
    assert jobs.receive() is None


def test_a_released_message_is_received_again_and_a_deleted_one_is_not(queue: tuple[Queue, Add]) -> None:
    jobs, add = queue
    add("one")
    first = jobs.receive()
    assert first is not None
    jobs.release(first)
    again = jobs.receive()
    assert again is not None
    assert again.body == "one"
    jobs.delete(again)
    jobs.delete(again)
    assert jobs.receive() is None


def test_a_message_that_is_left_stays_and_is_hidden(queue: tuple[Queue, Add]) -> None:
    jobs, add = queue
    add("one")
    first = jobs.receive()
    assert first is not None
    jobs.release(first)
    again = jobs.receive()
    assert again is not None
    assert (first.receives, again.receives) == (1, 2)
    jobs.leave(again)
    assert jobs.receive() is None
    jobs.release(again)
    left = jobs.receive()
    assert left is not None
    assert (left.body, left.receives) == ("one", 3)


def test_a_queue_that_does_not_exist_is_worth_another_try(sqs: SQSClient, queue_url: str) -> None:
    with pytest.raises(Transient, match=r"receiving from .*gone"):
        SqsJobs(sqs, f"{queue_url}-gone", 60, wait_seconds=0).receive()
