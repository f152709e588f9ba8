"""Measure the local stack's SQS with many messages waiting, beside moto's server, which keeps them in memory."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks.report import BenchmarkResult, Progress, milliseconds
from benchmarks.stats import percentile
from events.samples import sqs_record, trace_event
from local.settings import ACCESS_KEY, REGION, SECRET_KEY
from local.testbed.servers import lasting_sqs_server, moto_server

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LASTING, MEMORY = "local/queue", "moto"
WAITING = (100, 1_000, 10_000, 100_000)
# Above that a server that looks through all its messages takes minutes to be filled.
MOST_IN_MEMORY = 1_000
ROUNDS = 30
MEASURED = (
    "Events of one prediction each. So many wait; then ten are received and deleted, in turns with the other server, "
    f"{ROUNDS} times. In milliseconds, the median. local/queue writes each change to its file before it answers. "
    f"moto's server keeps all in memory; it is measured with up to {MOST_IN_MEMORY:,}."
)


class FilledQueue:
    """A queue with messages on it. times: how long receiving and deleting ten of them took, in milliseconds."""

    def __init__(self, url: str) -> None:
        keys: Any = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY, "region_name": REGION}
        self._client: SQSClient = boto3.client("sqs", endpoint_url=url, **keys)
        self._url = self._client.create_queue(QueueName="traces")["QueueUrl"]
        self._waiting = 0
        self.times: list[float] = []

    def fill(self, count: int) -> None:
        """Send until so many wait."""
        body = sqs_record(1, trace_event(1))["body"]
        while self._waiting < count:
            entries: Any = [{"Id": str(number), "MessageBody": body} for number in range(10)]
            self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            self._waiting += 10

    def take(self) -> None:
        """Receive ten messages, and delete them."""
        start = time.perf_counter()
        received = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)["Messages"]
        entries: Any = [{"Id": str(number), "ReceiptHandle": m["ReceiptHandle"]} for number, m in enumerate(received)]
        self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        self.times.append((time.perf_counter() - start) * 1000)
        self._waiting -= len(received)


@contextmanager
def _servers() -> Iterator[dict[str, FilledQueue]]:
    with (
        tempfile.TemporaryDirectory(prefix="offpath-bench-") as name,
        lasting_sqs_server(Path(name)) as lasting,
        moto_server(Path(name)) as memory,
    ):
        yield {LASTING: FilledQueue(lasting), MEMORY: FilledQueue(memory)}


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure both with more and more messages."""
    figures: dict[str, dict[str, float]] = {}
    with _servers() as queues:
        for waiting in WAITING[:2] if quick else WAITING:
            progress(f"{waiting:,} messages")
            measured = {name: queue for name, queue in queues.items() if name == LASTING or waiting <= MOST_IN_MEMORY}
            for queue in measured.values():
                queue.times = []
            for _ in range(3 if quick else ROUNDS):
                for queue in measured.values():
                    queue.fill(waiting)
                    queue.take()
            figures[f"{waiting:,}"] = {name: percentile(queue.times, 50) for name, queue in measured.items()}
    return BenchmarkResult(
        "queue: the local stack's SQS", MEASURED, ["waiting", LASTING, MEMORY, "ratio"], _rows(figures), [], figures
    )


def _rows(figures: dict[str, dict[str, float]]) -> list[list[str]]:
    """Return for each count the medians in milliseconds."""
    return [[waiting, milliseconds(found[LASTING]), *_beside(found)] for waiting, found in figures.items()]


def _beside(found: dict[str, float]) -> list[str]:
    memory = found.get(MEMORY)
    return ["", ""] if memory is None else [milliseconds(memory), f"{memory / found[LASTING]:.1f} times"]
