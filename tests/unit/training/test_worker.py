"""A job ends as its document says, whatever its worker, its training and its queue do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offpath.aws.job_store import JobStore
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from offpath.contracts.names import job_key
from offpath.contracts.training_job import Job, Progress, message_of
from offpath.testing import InMemoryBucket, InMemoryQueue, InMemoryReceiver, ManualClock
from tests.support.builders.jobs import JOB_ID, RESULT, new_job
from tests.support.fakes.training import FakeTraining
from training.worker.attempt import REGISTERING_SECONDS, Limits, Supervision
from training.worker.stop_signal import StopSignal
from training.worker.task_protocol import Exited, Failed, Progressed, ReadyToRegister, Succeeded, TaskMessage
from training.worker.worker import TrainingWorker

HALF = Progressed(progress=Progress(fraction=0.5, text="fitting: 5 of 10"))


class WorkerTrial:
    """One worker over fakes, and the job that it is to do."""

    def __init__(self, bucket: InMemoryBucket | None = None, **job: Any) -> None:
        self.bucket = bucket or InMemoryBucket()
        self.store = JobStore(self.bucket)
        self.clock = ManualClock()
        self.queue = InMemoryQueue(visibility_seconds=60, now=self.clock.now)
        self.receiver = InMemoryReceiver(self.queue)
        self.stop_signal = StopSignal()
        self.limits = Limits(seconds=100, memory_mb=500, heartbeat_seconds=20)
        self.store.create(new_job(**job))
        self.queue.send([message_of(JOB_ID)])

    def take(self, *messages: TaskMessage | None, seconds: float = 0, memory_mb: int = 0) -> FakeTraining:
        """The worker takes the next message; its training sends these messages."""
        return self.take_by(FakeTraining(self.clock, messages, seconds, memory_mb))

    def take_by(self, training: FakeTraining) -> FakeTraining:
        """The worker takes the next message, and starts this training."""
        message = self.receiver.receive()
        assert message is not None
        supervision = Supervision(self.limits, self.stop_signal, clock=self.clock.now)
        TrainingWorker(self.receiver, self.store, training, supervision).take(message)
        return training

    @property
    def job(self) -> Job:
        return self.store.read(JOB_ID).job

    @property
    def visible(self) -> int:
        """Return how many messages can be received."""
        return self.queue.waiting()[0]

    @property
    def kept(self) -> int:
        """Return how many messages there are."""
        return len(self.queue.messages)


def test_a_training_that_succeeds_ends_the_job_and_its_message() -> None:
    trial = WorkerTrial()
    training = trial.take(HALF, ReadyToRegister(), Succeeded(result=RESULT))
    assert (trial.job.state, trial.job.attempts, trial.job.result) == ("succeeded", 1, RESULT)
    assert trial.job.started_at is not None
    assert trial.job.ended_at is not None
    assert (training.confirmed, training.killed, trial.kept) == (True, True, 0)


def test_a_training_that_fails_by_itself_is_not_tried_again() -> None:
    trial = WorkerTrial()
    trial.take(HALF, Failed(reason="the data do not suffice"))
    assert (trial.job.state, trial.job.error, trial.job.attempts) == ("failed", "the data do not suffice", 1)
    assert trial.kept == 0


@pytest.mark.parametrize(
    ("code", "reason"), [(-9, "ran out of memory"), (-11, "by the signal SIGSEGV"), (3, "with the exit code 3")]
)
def test_a_training_that_ends_without_a_word_says_how(code: int, reason: str) -> None:
    trial = WorkerTrial()
    trial.take(HALF, Exited(code=code))
    assert trial.job.state == "failed"
    assert reason in str(trial.job.error)


def test_progress_is_written_and_the_message_kept_from_others() -> None:
    trial = WorkerTrial()
    seen: list[tuple[float, int]] = []

    class Watched(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            seen.append((trial.job.progress.fraction, trial.visible))
            return super().next(seconds)

    trial.take_by(Watched(trial.clock, [HALF, *[None] * 30, Succeeded(result=RESULT)], seconds=3))
    assert (0.5, 0) in seen
    assert not any(visible for _, visible in seen), "ninety seconds went by, and its message was visible after sixty"


def test_a_training_that_takes_too_long_is_ended() -> None:
    trial = WorkerTrial()
    assert trial.take(*[None] * 10, seconds=30).killed
    assert (trial.job.state, trial.kept) == ("failed", 0)
    assert trial.job.error == "it took longer than 100 s (OFFPATH_TRAINING_SECONDS)"


def test_a_training_that_takes_too_much_memory_is_ended() -> None:
    trial = WorkerTrial()
    assert trial.take(*[None] * 10, memory_mb=501).killed
    assert trial.job.error == "out of memory: it took 501 MB of 500 (OFFPATH_TRAINING_MEMORY_MB)"


def test_a_worker_that_stops_hands_its_job_back() -> None:
    trial = WorkerTrial()
    trial.stop_signal.received = True
    assert trial.take(HALF).killed
    assert (trial.job.state, trial.job.attempts, trial.visible) == ("queued", 0, 1)


def test_a_job_whose_worker_was_killed_is_tried_once_more() -> None:
    trial = WorkerTrial(state="running", attempts=1, started_at=new_job().created_at)
    training = trial.take(Succeeded(result=RESULT))
    assert training.lease is not None
    assert (training.lease.is_retry, training.lease.is_exhausted) == (True, False)
    assert (trial.job.state, trial.job.attempts) == ("succeeded", 2)


def test_a_job_that_was_tried_twice_is_only_finished() -> None:
    trial = WorkerTrial(state="running", attempts=2, started_at=new_job().created_at)
    training = trial.take(Failed(reason="it was tried twice"))
    assert training.lease is not None
    assert (training.lease.is_retry, training.lease.is_exhausted) == (True, True)
    assert (trial.job.state, trial.job.attempts, trial.job.error) == ("failed", 2, "it was tried twice")


@pytest.mark.parametrize("last", [Failed(reason="MLflow went away"), Exited(code=-9), None])
def test_what_ends_while_it_registers_is_tried_once_more(last: TaskMessage | None) -> None:
    trial = WorkerTrial()
    trial.take(ReadyToRegister(), last, None, seconds=REGISTERING_SECONDS if last is None else 0)
    assert (trial.job.state, trial.job.attempts, trial.visible) == ("running", 1, 1)
    trial.take(ReadyToRegister(), last, None, seconds=REGISTERING_SECONDS if last is None else 0)
    assert (trial.job.state, trial.job.attempts, trial.kept) == ("failed", 2, 0)
    assert "may have a version of this job without an alias" in str(trial.job.error)


def test_a_job_taken_over_by_another_worker_is_left() -> None:
    trial = WorkerTrial()

    class Slow(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            taken = trial.store.read(JOB_ID)
            if taken.job.claim != "another":
                trial.store.replace(taken, taken.job.started("another", most_attempts=2))
            return super().next(seconds)

    training = trial.take_by(Slow(trial.clock, [ReadyToRegister(), Succeeded(result=RESULT)]))
    assert (training.confirmed, training.killed) == (False, True)
    assert (trial.job.state, trial.job.claim, trial.kept) == ("running", "another", 1)


def test_a_job_that_is_removed_is_let_go() -> None:
    trial = WorkerTrial()

    class Removed(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            trial.bucket.delete(job_key(JOB_ID))
            return super().next(seconds)

    training = trial.take_by(Removed(trial.clock, [ReadyToRegister()]))
    assert (training.confirmed, training.killed) == (False, True)


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_message_of_a_job_that_has_ended_is_deleted(state: str) -> None:
    trial = WorkerTrial(state=state)
    assert trial.take().lease is None
    assert (trial.kept, trial.job.attempts) == (0, 0)


NO_JOBS = ["", "{}", "[]", "7", '{"schema": "job/1", "id": "../secrets"}', json.dumps({"id": JOB_ID})]


@pytest.mark.parametrize("body", NO_JOBS)
def test_a_message_that_is_no_job_is_deleted(body: str, caplog: pytest.LogCaptureFixture) -> None:
    trial = WorkerTrial(state="failed")
    trial.take()
    trial.queue.send([Message(body, {})])
    trial.take()
    assert trial.kept == 0
    assert "stands for no job" in caplog.text


@pytest.mark.parametrize("schema", ["job/2", "order/1", ""])
def test_message_of_unknown_schema_is_left_on_the_queue(schema: str, caplog: pytest.LogCaptureFixture) -> None:
    trial = WorkerTrial(state="failed")
    trial.take()
    trial.queue.send([Message(json.dumps({"schema": schema, "id": JOB_ID}), {})])
    trial.take()
    assert trial.kept == 1
    assert "deploy a newer one" in caplog.text


@pytest.mark.parametrize("change", [{"state": "paused"}, {"schema": "job/2"}])
def test_job_of_unknown_state_or_schema_is_left_alone(change: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    trial = WorkerTrial()
    document = json.loads(trial.bucket.objects[job_key(JOB_ID)]) | change
    trial.bucket.objects[job_key(JOB_ID)] = json.dumps(document).encode()
    trial.take()
    assert trial.kept == 1
    assert json.loads(trial.bucket.objects[job_key(JOB_ID)]) == document
    assert "deploy a newer one" in caplog.text


def test_message_for_a_newer_worker_is_received_at_growing_intervals() -> None:
    trial = WorkerTrial(state="failed")
    trial.take()
    trial.queue.send([Message(json.dumps({"schema": "job/2", "id": JOB_ID}), {})])
    pauses: list[float] = []
    for _ in range(40):
        began = trial.clock.now()
        trial.take()
        while not trial.visible:
            trial.clock.sleep(10)
        pauses.append(trial.clock.now() - began)
    assert pauses[:3] == [60, 120, 180]
    assert pauses[29:] == [1_800] * 11


def test_a_store_that_is_down_leaves_the_message() -> None:
    trial = WorkerTrial()
    trial.bucket.down = True
    with pytest.raises(Transient):
        trial.take()
    trial.bucket.down = False
    assert (trial.job.state, trial.kept) == ("queued", 1)


def test_a_lost_answer_of_the_store_loses_no_lease() -> None:
    trial = WorkerTrial(bucket=ForgetfulBucket())
    trial.take(HALF, ReadyToRegister(), Succeeded(result=RESULT))
    assert (trial.job.state, trial.job.attempts) == ("succeeded", 1)


class ForgetfulBucket(InMemoryBucket):
    """A bucket that loses every other answer: its client retries, and is told that the object has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        self.puts += 1
        written = super().put_if_unchanged(key, content, etag)
        return written if self.puts % 2 else super().put_if_unchanged(key, content + b" ", etag)
