"""Measure memory and import time of the API's process, beside one with mlflow and scikit-learn in it."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import sample
from benchmarks.handbuilt.iris import FOLDER_VARIABLE
from benchmarks.report import BenchmarkResult, Progress
from benchmarks.stats import percentile
from local.sources import ROOT
from local.testbed.aws import aws_with_iris
from local.testbed.servers import uvicorn

PREDICTIONS = 100
IMPORTS = 5
MEGABYTE = 1e6
MEASURED = (
    f"One uvicorn process with iris loaded, after {PREDICTIONS} predictions over HTTP: resident memory (RSS) and the"
    " part of it that no other process shares (USS). Import: from a started interpreter to the application with its"
    f" model loaded, the median of {IMPORTS}. The hand-built service loads a logistic regression of iris by "
    "mlflow.pyfunc, and records nothing."
)
_TIMED_IMPORT = "import sys, time, importlib; t = time.perf_counter(); importlib.import_module(sys.argv[1]); \
print(time.perf_counter() - t)"


@dataclass(frozen=True, slots=True)
class ServiceVariant:
    """Name a service, and the module that holds its `app`."""

    name: str
    module: str


VARIANTS = (
    ServiceVariant("API, offpath", "prediction_api.handler"),
    ServiceVariant("hand-built, mlflow.pyfunc", "benchmarks.handbuilt.pyfunc"),
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure both services, one after the other."""
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as name, aws_with_iris(Path(name)) as aws:
        folder = Path(name)
        progress("saving the model as mlflow.pyfunc")
        environ = {**aws.environ, FOLDER_VARIABLE: _saved(folder / "pyfunc")}
        figures: dict[str, dict[str, float]] = {}
        for variant in VARIANTS:
            progress(variant.name)
            seconds = _import_seconds(variant.module, environ, 1 if quick else IMPORTS)
            with uvicorn(f"{variant.module}:app", environ, folder / "uvicorn.log") as (url, process_id):
                figures[variant.name] = _memory(url, process_id) | {"import_seconds": seconds}
    return _result(figures)


def _saved(folder: Path) -> str:
    command = [sys.executable, "-m", "benchmarks.handbuilt.save_pyfunc", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return str(folder)


def _import_seconds(module: str, environ: Mapping[str, str], times: int) -> float:
    command = [sys.executable, "-c", _TIMED_IMPORT, module]
    seconds = []
    for _ in range(times):
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, check=True, capture_output=True)
        seconds.append(float(done.stdout.split()[-1]))
    return percentile(seconds, 50)


def _memory(url: str, process_id: int) -> dict[str, float]:
    for _ in range(PREDICTIONS):
        request = urllib.request.Request(url + sample.PATH, sample.BODY, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    memory = psutil.Process(process_id).memory_full_info()
    return {"rss": memory.rss / MEGABYTE, "uss": memory.uss / MEGABYTE}


def _result(figures: Mapping[str, Mapping[str, float]]) -> BenchmarkResult:
    columns = ["MB", "RSS", "USS", "import, s"]
    rows = [[name, *_cells(found)] for name, found in figures.items()]
    return BenchmarkResult("memory: the API process with iris loaded", MEASURED, columns, rows, [], figures)


def _cells(found: Mapping[str, float]) -> list[str]:
    return [f"{found['rss']:.0f}", f"{found['uss']:.0f}", f"{found['import_seconds']:.2f}"]
