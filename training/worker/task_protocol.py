"""The messages between the worker and a training process: JSON, a line each.

The worker first sends an assignment, and later, once, CONFIRMED: a version may be registered. When its end of the pipe
is closed, the worker is gone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from offpath.contracts.training_job import Job, Progress, Result

CONFIRMED = b"confirmed\n"


class _TaskMessage(BaseModel):
    model_config = ConfigDict(frozen=True)


class Assignment(_TaskMessage):
    """The worker sends the job.

    is_retry: an earlier attempt may have left something in MLflow. train: False if the job had all its attempts, and is
    only to be finished if a version of it is registered. pages_url: where people open MLflow, if that is another
    address than this process has for it.
    """

    job: Job
    is_retry: bool
    train: bool
    folder: str
    bucket: str
    mlflow_wait_seconds: float
    pages_url: str | None = None


class Progressed(_TaskMessage):
    """The training sends how far it is."""

    kind: Literal["progressed"] = "progressed"
    progress: Progress


class ReadyToRegister(_TaskMessage):
    """The training could register a version now, and waits for the worker to confirm it."""

    kind: Literal["ready_to_register"] = "ready_to_register"


class Succeeded(_TaskMessage):
    """The training has registered a version."""

    kind: Literal["succeeded"] = "succeeded"
    result: Result


class Failed(_TaskMessage):
    """The training cannot go on."""

    kind: Literal["failed"] = "failed"
    reason: str


class Exited(_TaskMessage):
    """The process ended without any of these. code: its exit code, or minus the signal's number."""

    kind: Literal["exited"] = "exited"
    code: int


TaskMessage = Annotated[Progressed | ReadyToRegister | Succeeded | Failed | Exited, Field(discriminator="kind")]
TASK_MESSAGE: TypeAdapter[TaskMessage] = TypeAdapter(TaskMessage)
