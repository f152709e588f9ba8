"""Measure the size of a trace in queue, archive and database: the costs in docs/deploy.md go by it."""

import tempfile
from itertools import count, islice
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from benchmarks.report import BenchmarkResult, Progress
from benchmarks.writer import BATCH, MAX_POST_BYTES, TIMEOUT_SECONDS
from events.samples import sqs_record, trace_event
from local.testbed.aws import aws_with_iris
from local.testbed.servers import mlflow_server, postgres
from offpath.aws.s3 import Bucket, S3Claims
from offpath.mlflow.http import MlflowHttp
from offpath.retry import SYSTEM_CLOCK
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.archive import BucketArchive
from trace_writer.delivery import Delivery
from trace_writer.sqs import received
from trace_writer.writer import TraceWriter

BATCHES = 20
MEASURED = (
    f"Events of one prediction each (three spans, four tags), written in batches of {BATCH} to the archive and MLflow"
    " over PostgreSQL: the mean size of a message on the queue, what the archive holds (the events resemble each"
    " other, and so compress well), and what the database grew by, indexes included."
)


class WriterPipeline:
    """Write new traces to the archive and an MLflow server, as the trace writer does."""

    def __init__(self, url: str, bucket: Bucket) -> None:
        self._clock = SYSTEM_CLOCK
        tracker = MlflowTracker(MlflowHttp(url), self._clock.now, TIMEOUT_SECONDS)
        delivery = Delivery(tracker, self._clock, MAX_POST_BYTES)
        self._writer = TraceWriter(S3Claims(bucket), BucketArchive(bucket), delivery)
        self._numbers = count(1)

    def write(self, size: int) -> int:
        """Write a batch of new traces, and return the bytes of its messages."""
        records = [sqs_record(number, trace_event(number)) for number in islice(self._numbers, size)]
        written = self._writer.write(received({"Records": records}), self._clock.now() + TIMEOUT_SECONDS)
        if written.failures:
            raise RuntimeError(f"{len(written.failures)} traces were not written: {written.failures[0].error}")
        return sum(len(record["body"].encode()) for record in records)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Write traces, and measure the sizes before and after."""
    batches = BATCHES // 10 if quick else BATCHES
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, aws_with_iris(Path(name)) as aws:
        folder = Path(name)
        progress("starting MLflow over PostgreSQL")
        with postgres(folder) as uri, mlflow_server(uri, folder / "mlflow") as url:
            progress(f"{batches} batches of {BATCH} traces")
            bucket, engine = aws.bucket(), create_engine(uri)
            figures = _weighed(WriterPipeline(url, bucket), bucket, engine, batches)
            engine.dispose()
    rows = [[name, f"{size:,.0f}"] for name, size in figures.items()]
    return BenchmarkResult("footprint: what a trace takes up", MEASURED, ["bytes a trace", ""], rows, [], figures)


def _weighed(pipeline: WriterPipeline, bucket: Bucket, engine: Engine, batches: int) -> dict[str, float]:
    pipeline.write(1)  # makes the experiment
    archive, database = _archive_bytes(bucket), _database_bytes(engine)
    queue = sum(pipeline.write(BATCH) for _ in range(batches))
    traces = batches * BATCH
    return {
        "on the queue": queue / traces,
        "in the archive": (_archive_bytes(bucket) - archive) / traces,
        "in PostgreSQL": (_database_bytes(engine) - database) / traces,
    }


def _archive_bytes(bucket: Bucket) -> int:
    return sum(len(bucket.get(key)) for key in bucket.keys("archive/"))


def _database_bytes(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())
