"""Measure traces per second into MLflow: the writer's batches, beside posting the same traces one by one."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from benchmarks.report import BenchmarkResult, Progress
from events.samples import sqs_record, trace_event
from local.testbed.aws import aws_with_iris
from local.testbed.servers import mlflow_server, postgres, sqlite
from offpath.aws.s3 import Bucket, S3Claims
from offpath.mlflow.http import MlflowHttp
from offpath.retry import SYSTEM_CLOCK
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.archive import BucketArchive
from trace_writer.decode import decode
from trace_writer.delivery import Delivery
from trace_writer.sqs import received
from trace_writer.writer import TraceWriter

ROUNDS = 15
SECONDS = 35.0
BATCH = 100
ALONE = 20
TIMEOUT_SECONDS = 60.0
MAX_POST_BYTES = 8_000_000
MEASURED = (
    "Events of one prediction each (three spans, four tags), as Lambda hands them over. In turns: a batch of "
    f"{BATCH} by the writer (decode, one PUT into the archive, one POST to MLflow), then {ALONE} more, decoded "
    "beforehand, by one POST each to the same server. MLflow has one worker; S3 is moto's server; all of it shares "
    "this machine."
)
_NUMBERS = count(1)
_DATABASES = {"SQLite": sqlite, "PostgreSQL": postgres}


@dataclass(slots=True)
class Timed:
    """Pass calls on to another object, and add up the seconds that they take."""

    inner: Any
    seconds: float = 0.0

    def put(self, *arguments: Any) -> Any:
        """Time a call of an archive's bucket."""
        return self._timed(self.inner.put, arguments)

    def get(self, *arguments: Any) -> Any:
        """Time a call of an archive's bucket."""
        return self._timed(self.inner.get, arguments)

    def keys(self, *arguments: Any) -> Any:
        """Time a call of an archive's bucket."""
        return self._timed(self.inner.keys, arguments)

    def log(self, *arguments: Any) -> Any:
        """Time a call of a tracker."""
        return self._timed(self.inner.log, arguments)

    def _timed(self, call: Any, arguments: Sequence[Any]) -> Any:
        start = time.perf_counter()
        try:
            return call(*arguments)
        finally:
            self.seconds += time.perf_counter() - start


class WriterComparison:
    """Write to one MLflow server in both ways, and keep the times. `warm_up` comes first."""

    def __init__(self, url: str, bucket: Bucket) -> None:
        self._clock = SYSTEM_CLOCK
        self._claims = S3Claims(bucket)
        self._tracker = MlflowTracker(MlflowHttp(url), self._clock.now, TIMEOUT_SECONDS)
        self._archived, self._logged = Timed(bucket), Timed(self._tracker)
        delivery = Delivery(self._logged, self._clock, MAX_POST_BYTES)
        self._writer = TraceWriter(self._claims, BucketArchive(self._archived), delivery)
        self.batched: list[float] = []
        self.alone: list[float] = []

    def warm_up(self) -> None:
        """Make the first requests, which create the experiment and open connections; their times are not kept."""
        self.write(_batch(1))
        self.post(_batch(1))
        self._archived.seconds = self._logged.seconds = 0.0
        self.batched, self.alone = [], []

    def write(self, event: dict[str, Any]) -> None:
        """Write one batch by the writer."""
        start = time.perf_counter()
        batch = received(event)
        written = self._writer.write(batch, self._clock.now() + TIMEOUT_SECONDS)
        self.batched += [(time.perf_counter() - start) / len(batch)]
        if written.failures:
            raise RuntimeError(f"{len(written.failures)} traces were not written: {written.failures[0].error}")

    def post(self, event: dict[str, Any]) -> None:
        """Post the traces of a batch one by one."""
        for decoded in [decode(message, self._claims) for message in received(event)]:
            start = time.perf_counter()
            self._tracker.log(decoded.experiment, decoded.payload, TIMEOUT_SECONDS)
            self.alone += [time.perf_counter() - start]

    def figures(self) -> dict[str, float]:
        """Return what was measured. Shares are of the writer's own time."""
        writing = sum(self.batched) * BATCH
        together, alone = len(self.batched) / sum(self.batched), len(self.alone) / sum(self.alone)
        return {
            "batches": len(self.batched),
            "batched_per_second": together,
            "alone": len(self.alone),
            "alone_per_second": alone,
            "ratio": together / alone,
            "archive_share": self._archived.seconds / writing,
            "mlflow_share": self._logged.seconds / writing,
        }


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure MLflow over SQLite, then over PostgreSQL."""
    share = 0.1 if quick else 1.0
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, aws_with_iris(Path(name)) as aws:
        folder = Path(name)
        for database, uri in _DATABASES.items():
            progress(f"starting MLflow over {database}")
            with uri(folder) as address, mlflow_server(address, folder / database) as url:
                progress(f"{database}: up to {ROUNDS * share:.0f} batches, {SECONDS * share:.0f} s")
                comparison = WriterComparison(url, aws.bucket())
                figures[database] = _measure(comparison, round(ROUNDS * share), SECONDS * share)
    return _result(figures)


def _measure(comparison: WriterComparison, rounds: int, seconds: float) -> dict[str, float]:
    comparison.warm_up()
    deadline = time.monotonic() + seconds
    for _ in range(rounds):
        comparison.write(_batch(BATCH))
        comparison.post(_batch(ALONE))
        if time.monotonic() > deadline:
            break
    return comparison.figures()


def _batch(size: int) -> dict[str, Any]:
    """Return an event as Lambda hands it over, with new traces every time."""
    return {"Records": [sqs_record(number, trace_event(number)) for number in islice(_NUMBERS, size)]}


def _result(figures: dict[str, dict[str, float]]) -> BenchmarkResult:
    columns = ["traces/s into", "by 100", "by 1", "ratio", "archive PUT", "MLflow POST", "rest"]
    rows = [_row(database, found) for database, found in figures.items()]
    samples = [f"{name}: {found['batches']:.0f} batches, {found['alone']:.0f} alone" for name, found in figures.items()]
    notes = ["; ".join(samples), "archive, MLflow and the rest (decoding) are shares of a batch's time"]
    return BenchmarkResult("writer: traces per second into MLflow", MEASURED, columns, rows, notes, figures)


def _row(name: str, found: dict[str, float]) -> list[str]:
    rest = 1 - found["archive_share"] - found["mlflow_share"]
    shares = [f"{share:.0%}" for share in (found["archive_share"], found["mlflow_share"], rest)]
    return [
        name,
        f"{found['batched_per_second']:.0f}",
        f"{found['alone_per_second']:.0f}",
        f"{found['ratio']:.1f}",
        *shares,
    ]
