"""Measure what tracing adds to an invocation in Lambda's own runtime, as the runtime interface emulator logs it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lambda_turns import compared_rows, durations_in_turns, started
from benchmarks.report import COMPARISON, BenchmarkResult, Progress, goal
from local.testbed.aws import aws_with_iris
from local.testbed.lambda_runtime import LambdaRuntime

INVOCATIONS = 400
GOAL_MS = 0.3


@dataclass(frozen=True, slots=True)
class HandlerVariant:
    """Name one handler, and the variables that set it apart."""

    name: str
    handler: str
    environ: Mapping[str, str] = field(default_factory=dict)


OFF, AFTER = "tracing off", "after_response"
VARIANTS = (
    HandlerVariant(OFF, "benchmarks.untraced_handler.handler"),
    HandlerVariant(AFTER, "prediction_api.handler.handler"),
    HandlerVariant("before_response", "prediction_api.handler.handler", {"OFFPATH_DELIVERY": "before_response"}),
)
MEASURED = (
    "One iris prediction, an API Gateway event, under SAM CLI's emulator and the real runtime client: RTDONE, the "
    "time from the event until the runtime has posted the response. The variants take turns, one invocation each; "
    "the emulator answers when the extension, too, is done, so that no flush falls upon another variant. SQS is "
    "moto's server. '+': the difference to tracing off, with its 95 % interval."
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Measure the variants, in turns."""
    invocations = INVOCATIONS // 10 if quick else INVOCATIONS
    return _result(durations_in_turns(_started, invocations, progress))


@contextmanager
def _started(folder: Path, progress: Progress) -> Iterator[dict[str, LambdaRuntime]]:
    with ExitStack() as stack:
        progress(f"starting moto and {len(VARIANTS)} functions")
        aws = stack.enter_context(aws_with_iris(folder))
        yield {
            variant.name: stack.enter_context(
                started(variant.handler, {**aws.environ, **variant.environ}, folder / f"{number}.log")
            )
            for number, variant in enumerate(VARIANTS)
        }


def _result(samples: Mapping[str, Sequence[float]]) -> BenchmarkResult:
    figures, rows = compared_rows(samples, OFF)
    columns = ["RTDONE, ms", *COMPARISON]
    notes = [goal(figures[AFTER], GOAL_MS)]
    return BenchmarkResult("lambda: what tracing adds to an invocation", MEASURED, columns, rows, notes, figures)
