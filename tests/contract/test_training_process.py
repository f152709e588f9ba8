"""A fake training sends and ends as a process that trains does."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import pytest

from offpath.contracts.training_job import Progress
from offpath.testing import ManualClock
from tests.support.builders.jobs import RESULT, new_job
from tests.support.fakes.training import FakeTraining
from tests.support.waiting import DEADLINE_SECONDS
from training.worker.attempt import RunningTraining
from training.worker.task_protocol import (
    Assignment,
    Failed,
    Progressed,
    ReadyToRegister,
    Succeeded,
    TaskMessage,
)
from training.worker.training_process import TrainingProcess

HALF = Progressed(progress=Progress(fraction=0.5, text="fitting"))
# Sends its arguments, waits at a message that asks for it, and then for the end of the worker.
PROCESS = """
import sys
sys.stdin.readline()
for line in sys.argv[1:]:
    print(line, flush=True)
    if "ready_to_register" in line:
        sys.stdin.readline()
sys.stdin.read()
"""


class Trainings:
    """Starts trainings that send what they are told."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.started: list[RunningTraining] = []

    def start(self, *messages: TaskMessage) -> RunningTraining:
        training = FakeTraining(ManualClock(), messages) if self._kind == "fake" else _process(messages)
        self.started.append(training)
        return training


def _process(messages: Sequence[TaskMessage]) -> TrainingProcess:
    assignment = Assignment(
        job=new_job(), is_retry=False, train=True, folder="/tmp", bucket="archive", mlflow_wait_seconds=0
    )
    lines = [message.model_dump_json() for message in messages]
    return TrainingProcess.start(assignment, [sys.executable, "-c", PROCESS, *lines])


@pytest.fixture(params=["fake", "process"])
def trainings(request: pytest.FixtureRequest) -> Iterator[Trainings]:
    made = Trainings(request.param)
    yield made
    for training in made.started:
        training.kill()


def test_messages_come_in_the_order_in_which_they_were_sent(trainings: Trainings) -> None:
    sent: list[TaskMessage] = [HALF, Failed(reason="the data do not suffice")]
    training = trainings.start(*sent)
    assert [training.next(DEADLINE_SECONDS) for _ in sent] == sent


def test_a_training_that_sends_nothing_has_no_message(trainings: Trainings) -> None:
    training = trainings.start(HALF)
    assert training.next(DEADLINE_SECONDS) == HALF
    assert training.next(0.05) is None


def test_a_confirmed_training_goes_on(trainings: Trainings) -> None:
    training = trainings.start(ReadyToRegister(), Succeeded(result=RESULT))
    assert training.next(DEADLINE_SECONDS) == ReadyToRegister()
    training.confirm_registration()
    assert training.next(DEADLINE_SECONDS) == Succeeded(result=RESULT)


def test_a_training_may_be_killed_twice(trainings: Trainings) -> None:
    training = trainings.start(HALF)
    training.kill()
    training.kill()
    assert training.memory_bytes() == 0
