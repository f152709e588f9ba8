"""Measure every recipe's model: the API beside `mlflow models serve`, and its code beside the estimator itself."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import BenchmarkResult, Progress, milliseconds
from benchmarks.serving.http import Caller, written
from benchmarks.serving.in_process import estimator_caller, in_turns, load_estimator_milliseconds, load_function
from benchmarks.serving.trained_recipes import TrainedRecipe, body_of, fit, names, publish, varied
from benchmarks.stats import percentile
from local.testbed.aws import Aws, aws_with_iris
from local.testbed.servers import mlflow_models_serve, uvicorn

ROUNDS = 300
WARM_UP = 20
LOADS = 5
# Requests follow one another in blocks, so that the work that they leave slows down their own server alone.
BLOCK = 50
REST_SECONDS = 0.5
GOAL = 5.0
MEGABYTE = 1e6
OURS, THEIRS = "offpath", "estimator"
API, SERVE = "API", "mlflow models serve"
MEASURED = (
    "The recipes' models on their own sample data, each text another one; ONNX Runtime with one thread, the others "
    "with as many as they take. In process: a request's JSON to predictions, by the function's code, and by pandas "
    "and the estimator itself. HTTP: the same dataframe_split to /models/NAME/invocations of the API under uvicorn "
    "(traced, SQS is moto's) and to /invocations of `mlflow models serve` with one worker, over a connection that "
    "stays open. They take turns, fifty requests each, one right after the other. Load: from a file to a model that "
    "has answered; libraries are imported before. Memory: of the processes after that, without what they share: the "
    "API with all models loaded, and each scoring server with its one."
)


@dataclass(slots=True)
class Samples:
    """Hold the samples of one model, in milliseconds, and its server's memory, in MB."""

    in_process: dict[str, list[float]] = field(default_factory=dict)
    http: dict[str, list[float]] = field(default_factory=dict)
    batch: dict[str, list[float]] = field(default_factory=dict)
    load: dict[str, list[float]] = field(default_factory=dict)
    server_mb: float = 0.0


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure each model, one after the other."""
    rounds = ROUNDS // 10 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, aws_with_iris(Path(name)) as aws:
        folder = Path(name)
        publish(aws, folder, progress)
        found = {model: _measured(fit(model, folder), aws, folder, rounds, progress) for model in names()}
        progress("memory with all of them loaded")
        memory = _api_memory(aws, folder)
    return _result(found, memory)


def _measured(model: TrainedRecipe, aws: Aws, folder: Path, rounds: int, progress: Progress) -> Samples:
    progress(f"{model.name}: in process")
    found, function = Samples(), load_function(aws.bucket())
    callers = {OURS: function.caller(model.name), THEIRS: estimator_caller(model)}
    in_process = in_turns(callers, model.records[0], WARM_UP + rounds)
    found.in_process = {name: samples[WARM_UP:] for name, samples in in_process.items()}
    found.load = {
        OURS: [function.load_milliseconds(model.name) for _ in range(LOADS)],
        THEIRS: [load_estimator_milliseconds(model.folder) for _ in range(LOADS)],
    }
    progress(f"{model.name}: over HTTP")
    _over_http(found, model, aws, folder, rounds)
    return found


def _over_http(found: Samples, model: TrainedRecipe, aws: Aws, folder: Path, rounds: int) -> None:
    environ = {**aws.environ, "OFFPATH_ONNX_THREADS": "1"}
    with ExitStack() as stack:
        url, _ = stack.enter_context(uvicorn("prediction_api.handler:app", environ, folder / "api.log"))
        serve_url, process_id = stack.enter_context(mlflow_models_serve(model.folder, folder / "serve.log"))
        callers = {
            API: Caller(url, f"/models/{model.name}/invocations"),
            SERVE: Caller(serve_url, "/invocations"),
        }
        found.http = _posted(callers, model.records[:1], rounds)
        if model.name == "iris":
            found.batch = _posted(callers, model.records, max(BLOCK, rounds // 10))
        found.server_mb = _resident_mb(process_id)


def _posted(callers: Mapping[str, Caller], records: Sequence[Mapping[str, Any]], rounds: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name in callers}
    for begin in range(0, rounds + WARM_UP, BLOCK):
        for name, caller in callers.items():
            for number in range(begin, begin + BLOCK):
                body = written(body_of([varied(record, number) for record in records]))
                samples[name].append(caller.milliseconds(body))
            time.sleep(REST_SECONDS)
    return {name: taken[WARM_UP:] for name, taken in samples.items()}


def _api_memory(aws: Aws, folder: Path) -> float:
    with uvicorn("prediction_api.handler:app", aws.environ, folder / "api.log") as (_, process_id):
        return _resident_mb(process_id)


def _resident_mb(process_id: int) -> float:
    """Return the memory of a process and of those below it, without what they share."""
    root = psutil.Process(process_id)
    return sum(each.memory_full_info().uss for each in [root, *root.children(recursive=True)]) / MEGABYTE


def _result(found: Mapping[str, Samples], memory: float) -> BenchmarkResult:
    figures = {name: _figures(one) for name, one in found.items()}
    rows = [row for name, one in found.items() for row in _rows(name, one)]
    rows.append(["memory, MB, all models", f"{memory:.0f}", "", f"{sum(one.server_mb for one in found.values()):.0f}"])
    least = min(_ratio(one.http[SERVE], one.http[API]) for one in found.values())
    notes = [f"goal: {GOAL:g} times less latency than `mlflow models serve`, end to end; the least here is {least:.1f}"]
    columns = ["ms", "offpath p50", "p99", "other p50", "p99", "ratio p50", "p99"]
    return BenchmarkResult(
        "models: served beside what one would do otherwise", MEASURED, columns, _squared(rows), notes, figures
    )


def _rows(name: str, found: Samples) -> list[list[str]]:
    rows = [
        _row(f"{name}, in process", found.in_process[OURS], found.in_process[THEIRS]),
        _row(f"{name}, HTTP", found.http[API], found.http[SERVE]),
    ]
    if found.batch:
        rows.append(_row(f"{name}, HTTP, 1,000 records", found.batch[API], found.batch[SERVE]))
    return [*rows, _row(f"{name}, load", found.load[OURS], found.load[THEIRS])]


def _row(name: str, ours: list[float], theirs: list[float]) -> list[str]:
    cells = [milliseconds(percentile(samples, percent)) for samples in (ours, theirs) for percent in (50, 99)]
    ratios = [f"{percentile(theirs, percent) / percentile(ours, percent):.1f}" for percent in (50, 99)]
    return [name, *cells, *ratios]


def _squared(rows: list[list[str]]) -> list[list[str]]:
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows]


def _ratio(theirs: list[float], ours: list[float]) -> float:
    return percentile(theirs, 50) / percentile(ours, 50)


def _figures(found: Samples) -> dict[str, Any]:
    kinds = {"in_process": found.in_process, "http": found.http, "batch": found.batch, "load": found.load}
    measured = {
        kind: {name: {"p50": percentile(values, 50), "p99": percentile(values, 99)} for name, values in samples.items()}
        for kind, samples in kinds.items()
        if samples
    }
    return {**measured, "mlflow_models_serve_mb": found.server_mb}
