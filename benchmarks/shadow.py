"""Measure what a shadow adds to an invocation in Lambda's own runtime."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lambda_turns import compared_rows, durations_in_turns, started
from benchmarks.report import COMPARISON, BenchmarkResult, Progress
from benchmarks.slow_model import slow_onnx
from local.testbed.aws import Aws, aws_with_iris
from local.testbed.lambda_runtime import LambdaRuntime
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
    return _result(durations_in_turns(_started, invocations, progress))


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
            runtimes[variant.name] = stack.enter_context(started(variant.handler, aws.environ, home / "lambda.log"))
        yield runtimes


def _add_shadow(aws: Aws) -> None:
    content = slow_onnx()
    shadow: ModelVersion = iris_version("2", content, weight=0, shadow=True)
    aws.bucket().put(shadow.key, content, "application/octet-stream")
    iris = RegisteredModel(aliases={"champion": iris_version(), "challenger": shadow})
    aws.bucket().put(MANIFEST_KEY, Manifest(models={"iris": iris}).to_json())


def _result(samples: Mapping[str, Sequence[float]]) -> BenchmarkResult:
    figures, rows = compared_rows(samples, ALONE)
    return BenchmarkResult(
        "shadow: what a shadow adds to an invocation", MEASURED, ["RTDONE, ms", *COMPARISON], rows, [], figures
    )
