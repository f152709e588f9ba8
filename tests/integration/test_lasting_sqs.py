"""The local stack's SQS as a process: what it took is there, whatever ends it, and it fails with a message."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.ports import free_port
from local.settings import HOST
from local.stack.web import fetch
from local.testbed.processes import await_answer, running
from tests.support.waiting import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

KILOBYTE = 1024


class Server:
    """The server's process, and a client of it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url
        self.client: SQSClient = boto3.client("sqs", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE_SECONDS)

    def make(self, name: str = "traces", **given: str) -> str:
        attributes: Any = given
        return self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def send(self, url: str, *bodies: str) -> list[str]:
        """Return those that were taken."""
        entries: Any = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.client.send_message_batch(QueueUrl=url, Entries=entries)
        return [bodies[int(taken["Id"])] for taken in answer["Successful"]]

    def receive(self, url: str, **given: Any) -> list[Any]:
        return self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **given).get("Messages", [])

    def drain(self, url: str) -> list[str]:
        """Return the bodies of all messages that can be received."""
        bodies: list[str] = []
        while received := self.receive(url):
            bodies += [found["Body"] for found in received]
        return bodies

    def release(self) -> None:
        """Let all that was received be received again."""
        fetch(f"{self.url}/release", {})

    def waiting(self, url: str) -> tuple[int, int]:
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    port, log = free_port(), folder / "sqs.log"
    command = [sys.executable, "-m", "local.queue", str(folder / "queues.db"), "--port", str(port)]
    with running(command, log) as process:
        await_answer(f"http://{HOST}:{port}/health", process, log)
        yield Server(process, f"http://{HOST}:{port}")


@pytest.fixture
def held_port() -> Iterator[socket.socket]:
    with socket.socket() as held:
        held.bind((HOST, 0))
        held.listen()
        yield held


@pytest.fixture(autouse=True)
def credentials(aws_endpoint: str) -> str:
    """What a client needs, and does not send anywhere else."""
    return aws_endpoint


def test_a_kill_loses_nothing_that_was_taken(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        dead = server.make("dead")
        arn = server.client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1000})
        url = server.make(VisibilityTimeout="77", RedrivePolicy=policy)
        sent = [body for start in range(0, 200, 10) for body in server.send(url, *map(str, range(start, start + 10)))]
        deleted, held = server.receive(url)[:2]
        server.client.delete_message(QueueUrl=url, ReceiptHandle=deleted["ReceiptHandle"])
        server.kill()

    with serving(tmp_path) as server:
        url = url.replace(url.split("/")[2], server.url.split("/")[2])
        attributes = server.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert (attributes["VisibilityTimeout"], attributes["RedrivePolicy"]) == ("77", policy)
        assert server.waiting(url) == (190, 9)
        server.client.change_message_visibility(QueueUrl=url, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0)
        assert server.waiting(url) == (191, 8)
        server.release()
        assert sorted(server.drain(url)) == sorted(set(sent) - {deleted["Body"]})


def test_a_full_disk_is_told_and_costs_no_message(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        url = server.make()
        size = (tmp_path / "queues.db-wal").stat().st_size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + 300 * KILOBYTE,) * 2)
        taken: list[str] = []
        with pytest.raises(ClientError) as refused:
            taken.extend(
                body for number in range(100) for body in server.send(url, f"{number:05d}".ljust(50 * KILOBYTE))
            )
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert "the queue's file" in str(refused.value)
        assert "the queue's file" in (tmp_path / "sqs.log").read_text()
        assert len(taken) >= 2
        server.kill()
    with serving(tmp_path) as server:
        url = url.replace(url.split("/")[2], server.url.split("/")[2])
        assert sorted(server.drain(url)) == taken
        assert server.send(url, "again") == ["again"]


def test_a_message_waits_for_its_time(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        url = server.make()
        server.client.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
        assert server.receive(url) == []
        [found] = server.receive(url, WaitTimeSeconds=20)
        assert found["Body"] == "later"


def test_dead_letters_are_moved_back_on_request(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        arns = {}
        for name in ("dead", "traces"):
            found = server.client.get_queue_attributes(QueueUrl=server.make(name), AttributeNames=["QueueArn"])
            arns[name] = found["Attributes"]["QueueArn"]
        server.send("dead", "poison")
        server.client.start_message_move_task(SourceArn=arns["dead"], DestinationArn=arns["traces"])
        assert (server.drain("dead"), server.drain("traces")) == ([], ["poison"])


def test_purged_and_deleted_queues_are_empty_for_good(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for name in ("purged", "deleted"):
            server.send(server.make(name), "message")
        server.client.purge_queue(QueueUrl="purged")
        server.client.delete_queue(QueueUrl="deleted")
        server.kill()
    with serving(tmp_path) as server:
        assert [url.rpartition("/")[2] for url in server.client.list_queues()["QueueUrls"]] == ["purged"]
        assert server.drain("purged") == server.drain(server.make("deleted")) == []


@pytest.mark.parametrize(("receives", "is_taken"), [("12000", True), ("0", False), ("many", False)])
def test_a_message_may_be_received_more_often_than_in_aws(tmp_path: Path, receives: str, is_taken: bool) -> None:
    with serving(tmp_path) as server:
        found = server.client.get_queue_attributes(QueueUrl=server.make("dead"), AttributeNames=["QueueArn"])
        policy = json.dumps({"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": receives})
        if is_taken:
            server.make(RedrivePolicy=policy)
        else:
            with pytest.raises(ClientError, match="RedrivePolicy"):
                server.make(RedrivePolicy=policy)


def test_queues_in_order_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as server, pytest.raises(ClientError, match="no FIFO queues"):
        server.make("traces.fifo", FifoQueue="true")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "queues.db").write_text("something else" * 100)
    command = [sys.executable, "-m", "local.queue", str(tmp_path / "queues.db"), "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 1
    assert "queues.db cannot be used: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path: Path, held_port: socket.socket) -> None:
    port = held_port.getsockname()[1]
    command = [sys.executable, "-m", "local.queue", str(tmp_path / "queues.db"), "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode
    assert f"('127.0.0.1', {port}): address already in use" in done.stderr
