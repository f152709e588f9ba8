"""`python -m training.worker.task`: one attempt of one job, as the worker starts it."""

import faulthandler
import os
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import IO

from offpath.contracts.promotion import Verdict
from offpath.contracts.training_job import Progress, Result
from training.recipes.recipe import TrainingError
from training.registry.mlflow_server import quiet_mlflow
from training.registry.promotion import Promotion
from training.run import TrainingSpec, finish_registered, train_and_register
from training.worker.datasets import fetch
from training.worker.parent_pipe import ParentPipe
from training.worker.task_protocol import GO, Assignment, Failed, Progressed, ReadyToRegister, Succeeded, TaskMessage

# What of the whole the training itself is; registering is the rest.
TRAINING_SHARE = 0.9
NICENESS = 10
TRIED_TWICE = "it was tried twice, and each time its worker ended in the middle of it"


class WorkerChannel:
    """What the worker is told, on the standard output that this process was started with."""

    def __init__(self, stream: IO[bytes], parent_pipe: ParentPipe) -> None:
        self._stream = stream
        self._leash = parent_pipe
        self._fraction = 0.0

    def tell(self, word: TaskMessage) -> None:
        """Tell it one thing."""
        self._stream.write(word.model_dump_json().encode() + b"\n")
        self._stream.flush()

    def say(self, text: str) -> None:
        """A line of the training's."""
        with suppress(OSError):  # whoever reads the worker's log may be gone
            print(f"  {text}", file=sys.stderr, flush=True)  # noqa: T201
        self.tell(Progressed(progress=Progress(fraction=self._fraction, text=text)))

    def progress(self, done: int, total: int) -> None:
        """How far the fitting is."""
        self._fraction = round(TRAINING_SHARE * done / max(total, 1), 3)
        self.tell(Progressed(progress=Progress(fraction=self._fraction, text=f"fitting: {done} of {total}")))

    def confirm(self) -> None:
        """Wait until the worker says that a version may be registered: that the job is still this attempt's."""
        self._fraction = TRAINING_SHARE
        self.tell(ReadyToRegister())
        while self._leash.line() != GO:
            pass


def main() -> None:
    """Do what standard input says, and tell how it went. Whatever else is printed goes to the log."""
    faulthandler.enable()
    parent_pipe = ParentPipe()
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    channel = WorkerChannel(stream, parent_pipe)
    assignment = Assignment.model_validate_json(parent_pipe.line())
    _make_way()
    quiet_mlflow()
    channel.tell(_outcome(assignment, channel))


def _outcome(assignment: Assignment, channel: WorkerChannel) -> TaskMessage:
    try:
        return _attempt(assignment, channel)
    except TrainingError as error:
        return Failed(reason=str(error) if assignment.train else f"{TRIED_TWICE}; {error}")
    except MemoryError:
        return Failed(reason="out of memory")
    except Exception as error:
        traceback.print_exc()
        return Failed(reason=f"{type(error).__name__}: {error}")


def _attempt(assignment: Assignment, channel: WorkerChannel) -> TaskMessage:
    job = assignment.job
    files = fetch(assignment.bucket, job.data, Path(assignment.folder)) if assignment.train else []
    spec = TrainingSpec(
        model=job.model,
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"],
        seed=job.seed,
        parameters=job.parameters,
        alias=job.alias,
        wait_seconds=assignment.mlflow_wait_seconds,
        data=files,
        promotion=Promotion(job.promote.metric, job.promote.margin) if job.promote else None,
        job=job.id,
    )
    registered = None
    if assignment.again:
        channel.say("looking for what an earlier attempt registered")
        registered = finish_registered(spec, channel.say, channel.confirm)
    if registered is None and not assignment.train:
        return Failed(reason=TRIED_TWICE)
    if registered is None:
        registered = train_and_register(spec, channel.say, channel.progress, channel.confirm)
    return Succeeded(
        result=Result(
            version=registered.version,
            run_id=registered.run_id,
            run_url=_for_people(registered.run_url, assignment),
            version_url=_for_people(registered.version_url, assignment),
            metrics={name: value for name, value in registered.metrics.items() if isfinite(value)},
            alias=registered.alias,
            promotion=Verdict(**asdict(registered.verdict)) if registered.verdict else None,
        )
    )


def _for_people(url: str, assignment: Assignment) -> str:
    """A page of MLflow's at the address at which people open it."""
    return f"{assignment.pages_url.rstrip('/')}/#{url.partition('#')[2]}" if assignment.pages_url else url


def _make_way() -> None:
    """Yield to what else runs on this machine, and be the first to go if that runs out of memory."""
    os.nice(NICENESS)
    with suppress(OSError):  # Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
