"""Measure what a shadow adds to an invocation in Lambda's own runtime."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lambda_runtime import durations_in_turns
from benchmarks.report import COMPARISON, BenchmarkResult, Progress, comparison
from benchmarks.slow_model import slow_onnx
from benchmarks.stats import compared
from local.testbed.aws import Aws, aws_with_iris
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime
from local.testbed.models import iris_version
from offpath.contracts.model_manifest import Manifest, ModelVersion, RegisteredModel
from offpath.contracts.names import MANIFEST_KEY

INVOCATIONS = 200


@dataclass(frozen=True, slots=True)
class ShadowVariant:
    """Name one handler, and whether the manifest has a shadow for it."""

    name: str
    handler: str
    shadowed: bool


ALONE = "champion alone"
VARIANTS = (
    ShadowVariant(ALONE, "prediction_api.handler.handler", shadowed=False),
    ShadowVariant("with a shadow", "prediction_api.handler.handler", shadowed=True),
    ShadowVariant("both within the request", "benchmarks.shadowed_handler.handler", shadowed=True),
)
MEASURED = (
    "One iris prediction, as in the benchmark `lambda`: RTDONE, the time until the runtime has posted the response. "
    "The shadow is a graph that takes some milliseconds. 'Both within the request' is what one builds by hand: the "
    "same application, untraced, calls the second model before it answers. '+': the difference to the champion alone."
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure the variants, in turns."""
    invocations = INVOCATIONS // 10 if quick else INVOCATIONS
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as folder, _started(Path(folder), progress) as runtimes:
        progress(f"{invocations} invocations of each")
        return _result(durations_in_turns(runtimes, invocations))


@contextmanager
def _started(folder: Path, progress: Progress) -> Iterator[dict[str, LambdaRuntime]]:
    with ExitStack() as stack:
        progress(f"starting {len(VARIANTS)} functions")
        runtimes = {}
        for number, variant in enumerate(VARIANTS):
            home = folder / str(number)
            home.mkdir()
            aws = stack.enter_context(aws_with_iris(home))
            if variant.shadowed:
                _add_shadow(aws)
            own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
            running = lambda_runtime(variant.handler, {**own, **aws.environ}, home / "lambda.log")
            runtimes[variant.name] = stack.enter_context(running)
        yield runtimes


def _add_shadow(aws: Aws) -> None:
    content = slow_onnx()
    shadow: ModelVersion = iris_version("2", content, weight=0, shadow=True)
    aws.bucket().put(shadow.key, content, "application/octet-stream")
    iris = RegisteredModel(aliases={"champion": iris_version(), "challenger": shadow})
    aws.bucket().put(MANIFEST_KEY, Manifest(models={"iris": iris}).to_json())


def _result(samples: Mapping[str, Sequence[float]]) -> BenchmarkResult:
    figures = {name: compared(values, samples[ALONE]) for name, values in samples.items()}
    rows = [comparison(name, found, is_baseline=name == ALONE) for name, found in figures.items()]
    return BenchmarkResult(
        "shadow: what a shadow adds to an invocation", MEASURED, ["RTDONE, ms", *COMPARISON], rows, [], figures
    )
