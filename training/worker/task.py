"""`python -m training.worker.task`: one attempt of one job, as the worker starts it."""

import faulthandler
import os
import traceback
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.names import CHAMPION
from offpath.contracts.training_job import Job, Result
from training.callbacks import Callbacks
from training.promotion import IfBetter, NotWorse, main_metric
from training.recipe import TrainingError
from training.recipes.catalog import find_recipe
from training.registry.mlflow_server import quiet_mlflow
from training.run import finish_registered, train_and_register
from training.training_spec import AliasPlan, TrainingSpec
from training.worker.parent_pipe import ParentPipe, WorkerChannel
from training.worker.task_protocol import Assignment, Failed, Succeeded, TaskMessage

NICENESS = 10
TRIED_TWICE = "it was tried twice, and each time its worker ended in the middle of it"


def main() -> None:
    """Do what standard input says, and send how it went. Whatever else is printed goes to the log."""
    faulthandler.enable()
    parent_pipe = ParentPipe.open()
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    channel = WorkerChannel(stream, parent_pipe)
    assignment = Assignment.model_validate_json(parent_pipe.line())
    _lower_priority()
    quiet_mlflow()
    channel.send(_outcome(assignment, channel))


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
    spec = TrainingSpec(
        model=job.model,
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"],
        seed=job.seed,
        parameters=job.parameters,
        aliases=_alias_plan(job),
        wait_seconds=assignment.mlflow_wait_seconds,
        data=_download(assignment.bucket, job.data, Path(assignment.folder)) if assignment.train else [],
        job=job.id,
    )
    callbacks = Callbacks(channel.report, channel.progress, channel.confirm)
    registered = None
    if assignment.is_retry:
        callbacks.report("looking for what an earlier attempt registered")
        registered = finish_registered(spec, callbacks)
    if registered is None and not assignment.train:
        return Failed(reason=TRIED_TWICE)
    if registered is None:
        registered = train_and_register(spec, callbacks)
    return Succeeded(
        result=Result(
            version=registered.version,
            run_id=registered.run_id,
            run_url=_public_url(registered.run_url, assignment),
            version_url=_public_url(registered.version_url, assignment),
            metrics={name: value for name, value in registered.metrics.items() if isfinite(value)},
            alias=registered.alias,
            promotion=registered.verdict,
        )
    )


def _alias_plan(job: Job) -> AliasPlan:
    """Return what becomes of the aliases. champion goes to no version that is worse, whoever asks for it."""
    if job.alias == CHAMPION:
        return AliasPlan(rule=NotWorse(main_metric(find_recipe(job.model).task)))
    return AliasPlan(job.alias, IfBetter(job.promote) if job.promote else None)


def _download(bucket: str, keys: Sequence[str], folder: Path) -> list[Path]:
    """Copy objects into the folder, under their own names, and return the files. Raises TrainingError."""
    if not keys:
        return []
    objects = Bucket(s3_client(timeout_seconds=30), bucket)
    paths = [folder / str(number) / key.rsplit("/", 1)[-1] for number, key in enumerate(keys)]
    for key, path in zip(keys, paths, strict=True):
        path.parent.mkdir()
        try:
            path.write_bytes(objects.get(key))
        except (ObjectMissing, Transient) as error:
            raise TrainingError(f"the data cannot be read: {error}") from error
    return paths


def _public_url(url: str, assignment: Assignment) -> str:
    """Return a page of MLflow's at the address where people open it."""
    if assignment.pages_url is None:
        return url
    page = url.partition("#")[2]
    return f"{assignment.pages_url.rstrip('/')}/#{page}"


def _lower_priority() -> None:
    """Yield to whatever else runs on this machine, and be the first to be killed if its memory runs out."""
    os.nice(NICENESS)
    with suppress(OSError):  # Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
