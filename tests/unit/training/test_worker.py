"""What becomes of a job, whatever its worker, its training and its queue do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offpath.aws.job_store import JobStore
from offpath.contracts.errors import Transient
from offpath.contracts.names import job_key
from offpath.contracts.training_job import Job, Progress, message_of
from tests.support.aws_fakes import FakeBucket
from tests.support.worker_fakes import JOB_ID, RESULT, FakeJobQueue, FakeTraining, new_job
from training.worker.attempt import REGISTERING_SECONDS, Limits
from training.worker.stop_signal import Stop
from training.worker.task_protocol import Exited, Failed, Progressed, ReadyToRegister, Succeeded, TaskMessage
from training.worker.worker import Worker

HALF = Progressed(progress=Progress(fraction=0.5, text="fitting: 5 of 10"))


class Shop:
    """One worker over fakes, and the job that it is to do."""

    def __init__(self, bucket: FakeBucket | None = None, **job: Any) -> None:
        self.bucket = bucket or FakeBucket()
        self.store = JobStore(self.bucket)
        self.queue = FakeJobQueue()
        self.stop = Stop()
        self.limits = Limits(seconds=100, memory_mb=500, heartbeat_seconds=20)
        self.store.create(new_job(**job))
        self.queue.add(message_of(JOB_ID).body)

    def take(self, *words: TaskMessage | None, seconds: float = 0, memory_mb: int = 0) -> FakeTraining:
        """The worker takes the next message; its training says these words."""
        return self.take_by(FakeTraining(self.queue, words, seconds, memory_mb))

    def take_by(self, training: FakeTraining) -> FakeTraining:
        """The worker takes the next message, and trains so."""
        message = self.queue.receive()
        assert message is not None
        worker = Worker(self.queue, self.store, training, self.limits, self.stop, clock=lambda: self.queue.now)
        worker.take(message)
        return training

    @property
    def job(self) -> Job:
        return self.store.read(JOB_ID).job


def test_a_training_that_succeeds_ends_the_job_and_its_message() -> None:
    shop = Shop()
    training = shop.take(HALF, ReadyToRegister(), Succeeded(result=RESULT))
    assert (shop.job.state, shop.job.attempts, shop.job.result) == ("succeeded", 1, RESULT)
    assert shop.job.started_at is not None
    assert shop.job.ended_at is not None
    assert (training.let_go, training.killed, shop.queue.kept) == (True, True, 0)


def test_a_training_that_fails_by_itself_is_not_tried_again() -> None:
    shop = Shop()
    shop.take(HALF, Failed(reason="the data do not suffice"))
    assert (shop.job.state, shop.job.error, shop.job.attempts) == ("failed", "the data do not suffice", 1)
    assert shop.queue.kept == 0


@pytest.mark.parametrize(
    ("code", "reason"), [(-9, "ran out of memory"), (-11, "by the signal SIGSEGV"), (3, "with the exit code 3")]
)
def test_a_training_that_ends_without_a_word_says_how(code: int, reason: str) -> None:
    shop = Shop()
    shop.take(HALF, Exited(code=code))
    assert shop.job.state == "failed"
    assert reason in str(shop.job.error)


def test_progress_is_written_now_and_then_and_the_message_kept_from_others() -> None:
    shop = Shop()
    seen: list[tuple[float, int]] = []

    class Watched(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            seen.append((shop.job.progress.fraction, shop.queue.visible))
            return super().next(seconds)

    shop.take_by(Watched(shop.queue, [HALF, *[None] * 30, Succeeded(result=RESULT)], seconds=3))
    assert (0.5, 0) in seen
    assert not any(visible for _, visible in seen), "ninety seconds went by, and its message was visible after sixty"


def test_a_training_that_takes_too_long_is_ended() -> None:
    shop = Shop()
    assert shop.take(*[None] * 10, seconds=30).killed
    assert (shop.job.state, shop.queue.kept) == ("failed", 0)
    assert shop.job.error == "it took longer than 100 s (OFFPATH_TRAINING_SECONDS)"


def test_a_training_that_takes_too_much_memory_is_ended() -> None:
    shop = Shop()
    assert shop.take(*[None] * 10, memory_mb=501).killed
    assert shop.job.error == "out of memory: it took 501 MB of 500 (OFFPATH_TRAINING_MEMORY_MB)"


def test_a_worker_that_stops_hands_its_job_back() -> None:
    shop = Shop()
    shop.stop.asked = True
    assert shop.take(HALF).killed
    assert (shop.job.state, shop.job.attempts, shop.queue.visible) == ("queued", 0, 1)


def test_a_job_whose_worker_was_killed_is_tried_once_more() -> None:
    shop = Shop(state="running", attempts=1, started_at=new_job().created_at)
    training = shop.take(Succeeded(result=RESULT))
    assert training.lease is not None
    assert (training.lease.again, training.lease.exhausted) == (True, False)
    assert (shop.job.state, shop.job.attempts) == ("succeeded", 2)


def test_a_job_that_was_tried_twice_is_only_finished() -> None:
    shop = Shop(state="running", attempts=2, started_at=new_job().created_at)
    training = shop.take(Failed(reason="it was tried twice"))
    assert training.lease is not None
    assert (training.lease.again, training.lease.exhausted) == (True, True)
    assert (shop.job.state, shop.job.attempts, shop.job.error) == ("failed", 2, "it was tried twice")


@pytest.mark.parametrize("last", [Failed(reason="MLflow went away"), Exited(code=-9), None])
def test_what_ends_while_it_registers_is_tried_once_more(last: TaskMessage | None) -> None:
    shop = Shop()
    shop.take(ReadyToRegister(), last, None, seconds=REGISTERING_SECONDS if last is None else 0)
    assert (shop.job.state, shop.job.attempts, shop.queue.visible) == ("running", 1, 1)
    shop.take(ReadyToRegister(), last, None, seconds=REGISTERING_SECONDS if last is None else 0)
    assert (shop.job.state, shop.job.attempts, shop.queue.kept) == ("failed", 2, 0)
    assert "may have a version of this job without an alias" in str(shop.job.error)


def test_a_job_that_another_worker_took_over_is_left_to_it() -> None:
    shop = Shop()

    class Slow(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            taken = shop.store.read(JOB_ID)
            if taken.job.claim != "another":
                shop.store.replace(taken, taken.job.started("another", most_attempts=2))
            return super().next(seconds)

    training = shop.take_by(Slow(shop.queue, [ReadyToRegister(), Succeeded(result=RESULT)]))
    assert (training.let_go, training.killed) == (False, True)
    assert (shop.job.state, shop.job.claim, shop.queue.kept) == ("running", "another", 1)


def test_a_job_that_is_removed_is_let_go() -> None:
    shop = Shop()

    class Removed(FakeTraining):
        def next(self, seconds: float) -> TaskMessage | None:
            shop.bucket.delete(job_key(JOB_ID))
            return super().next(seconds)

    training = shop.take_by(Removed(shop.queue, [ReadyToRegister()]))
    assert (training.let_go, training.killed) == (False, True)


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_message_of_a_job_that_has_ended_is_deleted(state: str) -> None:
    shop = Shop(state=state)
    assert shop.take().lease is None
    assert (shop.queue.kept, shop.job.attempts) == (0, 0)


NO_JOBS = ["", "{}", "[]", "7", '{"schema": "job/1", "id": "../secrets"}', json.dumps({"id": JOB_ID})]


@pytest.mark.parametrize("body", NO_JOBS)
def test_a_message_that_is_no_job_is_deleted(body: str, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(state="failed")
    shop.take()
    shop.queue.add(body)
    shop.take()
    assert shop.queue.kept == 0
    assert "stands for no job" in caplog.text


@pytest.mark.parametrize("schema", ["job/2", "order/1", ""])
def test_message_of_unknown_schema_is_left_on_the_queue(schema: str, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(state="failed")
    shop.take()
    shop.queue.add(json.dumps({"schema": schema, "id": JOB_ID}))
    shop.take()
    assert shop.queue.kept == 1
    assert "deploy a newer one" in caplog.text


@pytest.mark.parametrize("change", [{"state": "paused"}, {"schema": "job/2"}])
def test_job_of_unknown_state_or_schema_is_left_alone(change: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    document = json.loads(shop.bucket.objects[job_key(JOB_ID)]) | change
    shop.bucket.objects[job_key(JOB_ID)] = json.dumps(document).encode()
    shop.take()
    assert shop.queue.kept == 1
    assert json.loads(shop.bucket.objects[job_key(JOB_ID)]) == document
    assert "deploy a newer one" in caplog.text


def test_a_message_for_a_newer_worker_comes_ever_more_seldom() -> None:
    shop = Shop(state="failed")
    shop.take()
    shop.queue.add(json.dumps({"schema": "job/2", "id": JOB_ID}))
    pauses: list[float] = []
    for _ in range(40):
        began = shop.queue.now
        shop.take()
        while not shop.queue.visible:
            shop.queue.now += 10
        pauses.append(shop.queue.now - began)
    assert pauses[:3] == [60, 120, 180]
    assert pauses[29:] == [1_800] * 11


def test_a_store_that_is_down_leaves_the_message() -> None:
    shop = Shop()
    shop.bucket.down = True
    with pytest.raises(Transient):
        shop.take()
    shop.bucket.down = False
    assert (shop.job.state, shop.queue.kept) == ("queued", 1)


def test_an_answer_of_the_store_that_is_lost_loses_no_claim() -> None:
    shop = Shop(bucket=ForgetfulBucket())
    shop.take(HALF, ReadyToRegister(), Succeeded(result=RESULT))
    assert (shop.job.state, shop.job.attempts) == ("succeeded", 1)


class ForgetfulBucket(FakeBucket):
    """Loses every other answer: its client then tries once more, and hears that the object has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        self.puts += 1
        written = super().put_if_unchanged(key, content, etag)
        return written if self.puts % 2 else super().put_if_unchanged(key, content + b" ", etag)
