"""What a training process and the worker say to each other: JSON, a line each.

The worker first says what is to be done, then once that a version may be registered. That its side of the pipe is
closed means that it is gone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from offpath.contracts.training_job import Job, Progress, Result

GO = b"go\n"


class _TaskMessage(BaseModel):
    model_config = ConfigDict(frozen=True)


class Assignment(_TaskMessage):
    """The worker: this is the job.

    again: an earlier attempt may have left something in MLflow. train: False if the job was tried often enough, and is
    only to be finished if a version of it is registered. pages_url: where people open MLflow, if it is elsewhere than
    for this process.
    """

    job: Job
    again: bool
    train: bool
    folder: str
    bucket: str
    mlflow_wait_seconds: float
    pages_url: str | None = None


class Progressed(_TaskMessage):
    """The training: it has come so far."""

    word: Literal["advanced"] = "advanced"
    progress: Progress


class ReadyToRegister(_TaskMessage):
    """The training: a version could be registered now; it waits for the worker's word."""

    word: Literal["ready"] = "ready"


class Succeeded(_TaskMessage):
    """The training: this is what came of it."""

    word: Literal["succeeded"] = "succeeded"
    result: Result


class Failed(_TaskMessage):
    """The training: it cannot go on."""

    word: Literal["failed"] = "failed"
    reason: str


class Exited(_TaskMessage):
    """The process ended without any of these. code: its exit code, or minus the signal's number."""

    word: Literal["exited"] = "exited"
    code: int


TaskMessage = Annotated[Progressed | ReadyToRegister | Succeeded | Failed | Exited, Field(discriminator="word")]
TASK_MESSAGE: TypeAdapter[TaskMessage] = TypeAdapter(TaskMessage)
