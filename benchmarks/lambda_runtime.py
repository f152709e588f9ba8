"""Measure what tracing adds to an invocation in Lambda's own runtime, as the runtime interface emulator logs it."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import events
from benchmarks.report import COMPARISON, BenchmarkResult, Progress, comparison, goal
from benchmarks.stats import compared
from local.testbed.aws import aws_with_iris
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime

INVOCATIONS = 400
WARM_UP = 30
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
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as folder, _started(Path(folder), progress) as runtimes:
        progress(f"{invocations} invocations of each")
        return _result(durations_in_turns(runtimes, invocations))


@contextmanager
def _started(folder: Path, progress: Progress) -> Iterator[dict[str, LambdaRuntime]]:
    with ExitStack() as stack:
        progress(f"starting moto and {len(VARIANTS)} functions")
        aws = stack.enter_context(aws_with_iris(folder))
        own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        yield {
            variant.name: stack.enter_context(
                lambda_runtime(variant.handler, {**own, **aws.environ, **variant.environ}, folder / f"{number}.log")
            )
            for number, variant in enumerate(VARIANTS)
        }


def durations_in_turns(runtimes: Mapping[str, LambdaRuntime], invocations: int) -> dict[str, list[float]]:
    """Return the milliseconds of predictions of iris: each runtime makes one in every round, after some to warm up."""
    event = events.load("api_predict_iris")
    for _ in range(WARM_UP + invocations):
        for runtime in runtimes.values():
            _invoke(runtime, event)
    return {name: runtime.durations_ms()[WARM_UP:] for name, runtime in runtimes.items()}


def _invoke(runtime: LambdaRuntime, event: Mapping[str, object]) -> None:
    answer = runtime.invoke(event)
    if answer.get("statusCode") != 200:
        raise RuntimeError(f"the prediction was refused: {answer}\n{runtime.log.read_text()[-2000:]}")


def _result(samples: Mapping[str, Sequence[float]]) -> BenchmarkResult:
    figures = {name: compared(values, samples[OFF]) for name, values in samples.items()}
    rows = [comparison(name, found, is_baseline=name == OFF) for name, found in figures.items()]
    columns = ["RTDONE, ms", *COMPARISON]
    notes = [goal(figures[AFTER], GOAL_MS)]
    return BenchmarkResult("lambda: what tracing adds to an invocation", MEASURED, columns, rows, notes, figures)
