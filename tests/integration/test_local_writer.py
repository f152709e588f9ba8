"""`python -m local.aws.writer_loop`, a real process, between moto's SQS and a handler."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.aws.sqs import SqsConsumer
from offpath.aws.sqs import SqsQueue
from offpath.contracts.message import Message
from tests.support.local_stack import Command
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path, moto_url: str, queue_url: str) -> "Iterator[Start]":
    started: list[Command] = []

    def start(**changes: str) -> Command:
        environ = {
            "AWS_ENDPOINT_URL_SQS": moto_url,
            "OFFPATH_QUEUE_URL": queue_url,
            "OFFPATH_BATCH_WINDOW_SECONDS": "0.1",
            "OFFPATH_DRAIN_SECONDS": str(DEADLINE_SECONDS),
            "OFFPATH_WRITER_HANDLER": "tests.support.local_handler:handler",
        }
        started.append(Command(tmp_path / f"writer{len(started)}.log", environ | changes, "local.aws.writer_loop"))
        started[-1].wait_for("polling ")
        return started[-1]

    yield start
    for command in started:
        command.clean_up()


@pytest.fixture
def send(sqs: "SQSClient", queue_url: str) -> Callable[..., None]:
    def send(*bodies: str) -> None:
        assert SqsQueue(sqs, queue_url).send([Message(body, {"kind": "inline"}) for body in bodies]) == []

    return send


@pytest.fixture
def consumer(sqs: "SQSClient", queue_url: str) -> SqsConsumer:
    return SqsConsumer(sqs, queue_url)


def test_messages_go_to_the_handler_and_off_the_queue(
    start: "Start", send: Callable[..., None], consumer: SqsConsumer
) -> None:
    writer = start()
    send("one", "two")
    writer.wait_for("got two, receive 1")
    wait_for(lambda: consumer.waiting() == (0, 0), lambda: writer.text)
    assert writer.end(signal.SIGTERM) == 0


def test_a_message_with_a_binary_attribute_is_one_like_others(
    start: "Start", sqs: "SQSClient", queue_url: str, consumer: SqsConsumer
) -> None:
    writer = start()
    photo = {"photo": {"BinaryValue": b"\x00\x01", "DataType": "Binary"}}
    sqs.send_message(QueueUrl=queue_url, MessageBody="with a photo", MessageAttributes=photo)  # type: ignore[arg-type]
    writer.wait_for("got with a photo")
    wait_for(lambda: consumer.waiting() == (0, 0), lambda: writer.text)
    assert writer.end(signal.SIGTERM) == 0


def test_failures_stay_a_crash_does_not_end_it_and_a_stop_gives_all_back(
    start: "Start", send: Callable[..., None], consumer: SqsConsumer
) -> None:
    send("fail", "fine")
    writer = start()  # now, so that both are in its first batch
    writer.wait_for(r"1 of 2 message\(s\) go back to the queue")
    send("crash")
    writer.wait_for("RuntimeError: this message crashes the handler")
    send("still working")
    writer.wait_for("got still working")
    assert consumer.waiting()[0] == 0
    assert writer.end(signal.SIGTERM) == 0
    assert "got fail, receive 2" in writer.text
    assert consumer.waiting() == (2, 0)


def test_a_second_signal_interrupts_the_invocation_and_gives_its_messages_back(
    start: "Start", send: Callable[..., None], consumer: SqsConsumer
) -> None:
    writer = start()
    send("hang")
    writer.wait_for("got hang")
    writer.process.send_signal(signal.SIGTERM)
    said = writer.text.count("going on")
    # What it says next may be older than the signal; what comes after that is not.
    wait_for(lambda: writer.text.count("going on") > said + 1 or writer.process.poll() is not None, lambda: writer.text)
    assert writer.process.poll() is None, "the first signal lets the invocation go on"
    assert writer.end(signal.SIGTERM) == 0
    assert consumer.waiting() == (1, 0)


def test_it_waits_for_sqs_and_says_so_once(start: "Start", queue_url: str, sqs: "SQSClient") -> None:
    name = queue_url.rsplit("/", 1)[1] + "-later"
    writer = start(OFFPATH_QUEUE_URL=f"{queue_url}-later")
    writer.wait_for("polling is in trouble")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    writer.wait_for("polling works again")
    SqsQueue(sqs, url).send([Message("late", {})])
    writer.wait_for("got late")
    assert writer.text.count("in trouble") == 1
    sqs.delete_queue(QueueUrl=url)
    writer.wait_for("(?s)in trouble.*in trouble")
    assert writer.end(signal.SIGTERM) == 0
    assert "the queue could not be drained" in writer.text
