"""Measure what making spans adds to a request, by their number and by the size of what they hold."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.report import BenchmarkResult, Progress, milliseconds
from benchmarks.span_worker import TRACERS, TraceShape
from benchmarks.stats import percentile
from local.testbed.aws import aws_with_iris
from local.testbed.processes import LineProcess, line_process
from local.testbed.servers import mlflow_server, sqlite

ROUNDS = 200
WARM_UP = 3
# What a request leaves to be done is done in this time, at most.
PAUSE_SECONDS = {"offpath": 0.06, "sdk": 0.02, "mlflow": 0.15}
SHAPES = {
    "3 spans, 1 kB of text": TraceShape(3, "text", 1_000),
    "3 spans, 10 kB of text": TraceShape(3, "text", 10_000),
    "3 spans, 100 kB of text": TraceShape(3, "text", 100_000),
    "3 spans, 1 MB of text": TraceShape(3, "text", 1_000_000),
    "30 spans": TraceShape(30, "text", 1_000),
    "100 spans": TraceShape(100, "text", 1_000),
    "300 spans": TraceShape(300, "text", 1_000),
    "3 spans, a list of 1,000 numbers": TraceShape(3, "list", 1_000),
    "3 spans, a dict of 1,000 numbers": TraceShape(3, "dict", 1_000),
}
# In milliseconds at the median.
GOALS = {"3 spans, 10 kB of text": 0.2, "3 spans, 1 MB of text": 1.0, "100 spans": 0.5}
MEASURED = (
    "The time for which a request waits while its spans are made and ended; without tracing it is none. Each tracer in "
    "a process of its own, in turns, one trace each; after each the next one waits until the work in the background is "
    "done. sdk: OpenTelemetry's SDK and its batch processor, with an exporter that discards what it gets. mlflow: "
    "mlflow.start_span with asynchronous export. MLflow is one real server over SQLite, SQS is moto's server. Inner "
    "spans have five attributes. 'x': the median as a multiple of offpath's."
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure all shapes with all tracers, in turns."""
    rounds = ROUNDS // 10 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, _workers(Path(name), progress) as workers:
        samples: dict[str, dict[str, list[float]]] = {}
        for label, shape in SHAPES.items():
            progress(f"{label}, {rounds} rounds")
            samples[label] = _measure(workers, json.dumps(asdict(shape)), rounds)
    return _result(samples)


@contextmanager
def _workers(folder: Path, progress: Progress) -> Iterator[Mapping[str, LineProcess]]:
    with ExitStack() as stack:
        progress("starting moto and MLflow over SQLite")
        aws = stack.enter_context(aws_with_iris(folder))
        url = stack.enter_context(mlflow_server(stack.enter_context(sqlite(folder)), folder / "mlflow"))
        environ = {**aws.environ, "MLFLOW_TRACKING_URI": url, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "true"}
        command = [sys.executable, "-m", "benchmarks.span_worker"]
        yield {
            tracer: stack.enter_context(line_process([*command, tracer], folder / f"{tracer}.log", environ))
            for tracer in TRACERS
        }


def _measure(workers: Mapping[str, LineProcess], shape: str, rounds: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {tracer: [] for tracer in workers}
    for _ in range(WARM_UP + rounds):
        for tracer, worker in workers.items():
            samples[tracer].append(float(worker.ask(shape)))
            time.sleep(PAUSE_SECONDS[tracer])
    return {tracer: found[WARM_UP:] for tracer, found in samples.items()}


def _result(samples: Mapping[str, Mapping[str, list[float]]]) -> BenchmarkResult:
    figures = {
        label: {
            tracer: {"samples": len(found), "p50": percentile(found, 50), "p99": percentile(found, 99)}
            for tracer, found in of_shape.items()
        }
        for label, of_shape in samples.items()
    }
    columns = ["ms", "offpath p50", "p99", "sdk p50", "p99", "x", "mlflow p50", "p99", "x"]
    notes = [
        f"goal: {label} at most {goal} ms at p50; here {milliseconds(figures[label]['offpath']['p50'])}"
        for label, goal in GOALS.items()
    ]
    rows = [_row(label, of_shape) for label, of_shape in figures.items()]
    return BenchmarkResult("spans: what making them adds to a request", MEASURED, columns, rows, notes, figures)


def _row(label: str, figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    ours = figures["offpath"]
    cells = [label, milliseconds(ours["p50"]), milliseconds(ours["p99"])]
    for tracer in ("sdk", "mlflow"):
        theirs = figures[tracer]
        cells += [milliseconds(theirs["p50"]), milliseconds(theirs["p99"]), f"{theirs['p50'] / ours['p50']:.1f}"]
    return cells
