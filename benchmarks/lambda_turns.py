"""Time handlers in Lambda's own runtime, in turns, so that a busy moment of the machine falls on each alike."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import events
from benchmarks.report import Progress, comparison
from benchmarks.stats import compared
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime

WARM_UP = 30

# Starts runtimes with a folder for their files, and yields them by the names of the variants.
Start = Callable[[Path, Progress], AbstractContextManager[Mapping[str, LambdaRuntime]]]


def durations_in_turns(start: Start, invocations: int, progress: Progress) -> dict[str, list[float]]:
    """Return the milliseconds of predictions of iris: each runtime makes one in every round, after some to warm up."""
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as folder, start(Path(folder), progress) as runtimes:
        progress(f"{invocations} invocations of each")
        event = events.load("api_predict_iris")
        for _ in range(WARM_UP + invocations):
            for runtime in runtimes.values():
                _invoke(runtime, event)
        return {name: runtime.durations_ms()[WARM_UP:] for name, runtime in runtimes.items()}


def started(handler: str, environ: Mapping[str, str], log: Path) -> AbstractContextManager[LambdaRuntime]:
    """Start a handler with these variables beside this process's own for AWS."""
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return lambda_runtime(handler, {**own, **environ}, log)


def compared_rows(
    samples: Mapping[str, Sequence[float]], baseline: str
) -> tuple[dict[str, dict[str, float]], list[list[str]]]:
    """Return each variant's figures against the baseline's, and a table's row of each."""
    figures = {name: compared(values, samples[baseline]) for name, values in samples.items()}
    return figures, [comparison(name, found, is_baseline=name == baseline) for name, found in figures.items()]


def _invoke(runtime: LambdaRuntime, event: Mapping[str, object]) -> None:
    answer = runtime.invoke(event)
    if answer.get("statusCode") != 200:
        raise RuntimeError(f"the prediction was refused: {answer}\n{runtime.log.read_text()[-2000:]}")
