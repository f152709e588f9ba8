"""Measure what recording a prediction adds to it, in process, by offpath and by MLflow itself."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.handbuilt.iris import FOLDER_VARIABLE, MANIFEST_FILE, ONNX_FILE
from benchmarks.report import COMPARISON, BenchmarkResult, Progress, comparison, goal
from benchmarks.stats import compared
from local.testbed.aws import aws_with_iris
from local.testbed.models import iris_onnx, iris_version, manifest_of
from local.testbed.processes import LineProcess, line_process
from local.testbed.servers import mlflow_server, sqlite

ROUNDS = 1000
SECONDS = 120.0
WARM_UP = 10
GOAL_MS = 0.3


@dataclass(frozen=True, slots=True)
class RecordingVariant:
    """Describe one way to record predictions.

    baseline: the same application, recording nothing. every: it takes part in one round of so many. pause_seconds: the
    background work of its request ends in that time, so that it does not slow down the next variant's request.
    """

    name: str
    app: str
    baseline: str
    every: int
    pause_seconds: float
    environ: Mapping[str, str] = field(default_factory=dict)


OFF, OFFPATH, PLAIN = "API, tracing off", "API, offpath", "by hand, plain"
VARIANTS = (
    RecordingVariant(OFF, "benchmarks.untraced_handler:app", OFF, 1, 0.005),
    RecordingVariant(OFFPATH, "prediction_api.handler:app", OFF, 1, 0.03),
    RecordingVariant(PLAIN, "benchmarks.handbuilt.plain:app", PLAIN, 1, 0.005),
    RecordingVariant("by hand, trace async", "benchmarks.handbuilt.traced:app", PLAIN, 4, 0.15),
    RecordingVariant(
        "by hand, trace sync",
        "benchmarks.handbuilt.traced:app",
        PLAIN,
        10,
        0.02,
        {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"},
    ),
    RecordingVariant("by hand, start_run", "benchmarks.handbuilt.runs:app", PLAIN, 10, 0.02),
)
MEASURED = (
    "One iris prediction, the application called in process (ASGI, no network); each variant a process of its own. "
    "They take turns, one request each: the cheap ones in every round, the others in every fourth or tenth. After "
    "each request the next one waits until what that left to be done is done (5 ms; 30 ms after offpath, 150 ms "
    "after the asynchronous export): at this rate nothing queues up anywhere. The traced ones make three spans and "
    "four tags; MLflow is one real server over SQLite, SQS is moto's server. By hand: @mlflow.trace, its export "
    "synchronous or not, and mlflow.start_run in a small FastAPI application. '+': the difference to the same "
    "application recording nothing, with its 95 % interval; 'x': its median as a multiple of offpath's."
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure all variants, in turns."""
    share = 0.1 if quick else 1.0
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, started(Path(name), progress) as workers:
        progress(f"{ROUNDS * share:.0f} rounds, or as many as fit in {SECONDS * share:.0f} s")
        samples = _measure(workers, int(ROUNDS * share), SECONDS * share)
    return _result(samples)


@contextmanager
def started(folder: Path, progress: Progress) -> Iterator[dict[str, LineProcess]]:
    """Start every variant's process, with the services that they need, and yield them by name."""
    with ExitStack() as stack:
        progress("starting moto and MLflow over SQLite")
        aws = stack.enter_context(aws_with_iris(folder))
        url = stack.enter_context(mlflow_server(stack.enter_context(sqlite(folder)), folder / "mlflow"))
        environ = {**aws.environ, "MLFLOW_TRACKING_URI": url, FOLDER_VARIABLE: str(folder)}
        _write_model(folder)
        progress(f"starting {len(VARIANTS)} processes")
        workers = {variant.name: stack.enter_context(_worker(variant, environ, folder)) for variant in VARIANTS}
        for worker in workers.values():
            for _ in range(WARM_UP):
                worker.ask()
        yield workers


def _worker(variant: RecordingVariant, environ: Mapping[str, str], folder: Path) -> AbstractContextManager[LineProcess]:
    command = [sys.executable, "-m", "benchmarks.asgi_worker", variant.app]
    log = folder / f"worker-{VARIANTS.index(variant)}.log"
    return line_process(command, log, {**environ, **variant.environ})


def _write_model(folder: Path) -> None:
    (folder / ONNX_FILE).write_bytes(iris_onnx())
    (folder / MANIFEST_FILE).write_bytes(manifest_of(iris=iris_version()).to_json())


def _measure(workers: Mapping[str, LineProcess], rounds: int, seconds: float) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {variant.name: [] for variant in VARIANTS}
    deadline = time.monotonic() + seconds
    for number in range(rounds):
        for variant in VARIANTS:
            if number % variant.every == 0:
                samples[variant.name].append(float(workers[variant.name].ask()))
                time.sleep(variant.pause_seconds)
        if time.monotonic() > deadline:
            break
    return samples


def _result(samples: Mapping[str, Sequence[float]]) -> BenchmarkResult:
    figures = {variant.name: compared(samples[variant.name], samples[variant.baseline]) for variant in VARIANTS}
    ours = figures[OFFPATH]["added_p50"]
    rows = [_row(variant, figures[variant.name], ours) for variant in VARIANTS]
    notes = [goal(figures[OFFPATH], GOAL_MS)]
    return BenchmarkResult(
        "request: what recording a prediction adds to it",
        MEASURED,
        ["ms", *COMPARISON, "x"],
        rows,
        notes,
        figures,
    )


def _row(variant: RecordingVariant, figures: Mapping[str, float], ours: float) -> list[str]:
    is_baseline = variant.baseline == variant.name
    multiple = "" if is_baseline or ours <= 0 else f"{figures['added_p50'] / ours:.0f}"
    return [*comparison(variant.name, figures, is_baseline=is_baseline), multiple]
