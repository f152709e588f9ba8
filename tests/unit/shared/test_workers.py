"""Work off the request path: a thread, Lambda's time after the response, or no worker at all."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from offpath.tracing._background_thread import BackgroundThread
from offpath.tracing._lambda_extension import LambdaExtension
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import InRequest
from tests.support.builders.spans import ended_trace
from tests.support.fakes.extensions_api import FakeExtensionsApi
from tests.support.waiting import DEADLINE_SECONDS

SECONDS = DEADLINE_SECONDS


class Published:
    """What was published, and a way to wait for it."""

    def __init__(self, fail: bool = False) -> None:
        self.batches: list[list[EndedTrace]] = []
        self.happened = threading.Semaphore(0)
        self._fail = fail

    def __call__(self, traces: Sequence[EndedTrace]) -> None:
        self.batches.append(list(traces))
        self.happened.release()
        if self._fail:
            raise RuntimeError("a defect")

    @property
    def traces(self) -> list[EndedTrace]:
        return [trace for batch in self.batches for trace in batch]


@pytest.fixture
def api() -> Iterator[FakeExtensionsApi]:
    """Lambda, until the test has ended."""
    api = FakeExtensionsApi()
    yield api
    api.end()


@dataclass
class Context:
    aws_request_id: str


def test_thread_publishes_what_is_submitted_and_the_rest_at_end() -> None:
    published = Published()
    worker = BackgroundThread(published, Published()).start()
    traces = [ended_trace() for _ in range(25)]
    for trace in traces:
        worker.submit(trace)
    assert worker.close(SECONDS)
    assert published.traces == traces
    assert max(map(len, published.batches)) <= 10


def test_thread_outlives_a_defect_and_runs_periodic_tasks() -> None:
    published, task = Published(fail=True), threading.Semaphore(0)
    worker = BackgroundThread(published, Published(), idle_seconds=0.01).start()

    def broken() -> None:
        task.release()
        raise RuntimeError("a defect")

    worker.add_periodic_task(broken)
    worker.submit(ended_trace())
    assert published.happened.acquire(timeout=SECONDS)
    assert task.acquire(timeout=SECONDS)
    assert task.acquire(timeout=SECONDS)
    worker.submit(ended_trace())
    assert published.happened.acquire(timeout=SECONDS)
    assert worker.close(SECONDS)


def test_slow_periodic_task_holds_up_no_trace() -> None:
    published, begun, release = Published(), threading.Event(), threading.Event()
    worker = BackgroundThread(published, Published(), idle_seconds=0.01).start()

    def long() -> None:
        begun.set()
        release.wait(SECONDS)

    worker.add_periodic_task(long)
    assert begun.wait(SECONDS)
    trace = ended_trace()
    worker.submit(trace)
    assert worker.flush(SECONDS)
    assert published.traces == [trace]
    release.set()
    assert worker.close(SECONDS)


def test_trace_of_a_periodic_task_at_close_is_published() -> None:
    published, begun, trace = Published(), threading.Event(), ended_trace()
    worker = BackgroundThread(published, Published(), idle_seconds=0.01).start()

    def tracing() -> None:
        begun.set()
        closing.wait(SECONDS)
        worker.submit(trace)

    closing = threading.Event()
    worker.add_periodic_task(tracing)
    assert begun.wait(SECONDS)
    closer = threading.Thread(target=worker.close, args=(SECONDS,))
    closer.start()
    closing.set()
    closer.join(SECONDS)
    assert trace in published.traces


def test_thread_that_cannot_finish_logs_what_waits() -> None:
    release, begun, logged_unsent = threading.Event(), threading.Event(), Published()

    def hang(_: Sequence[EndedTrace]) -> None:
        begun.set()
        release.wait(SECONDS)

    worker = BackgroundThread(hang, logged_unsent).start()
    worker.submit(ended_trace())
    assert begun.wait(SECONDS)
    waiting = [ended_trace() for _ in range(3)]
    for trace in waiting:
        worker.submit(trace)
    assert not worker.flush(0.01)
    assert not worker.close(0.01)
    assert logged_unsent.traces == waiting
    release.set()
    assert worker.close(SECONDS)


def test_a_flush_waits_for_what_was_submitted() -> None:
    published, trace = Published(), ended_trace()
    worker = BackgroundThread(published, Published()).start()
    worker.submit(trace)
    assert worker.flush(SECONDS)
    assert published.traces == [trace]
    worker.close(SECONDS)


def test_the_thread_leaves_a_handler_alone() -> None:
    worker = BackgroundThread(Published(), Published()).start()

    def handler(event: object, context: object) -> None:
        pass

    assert worker.wrap(handler) is handler
    worker.close(SECONDS)


def test_extension_publishes_between_handler_and_next_event(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api).start()
    assert api.registered
    assert api.asked.acquire(timeout=SECONDS)
    trace = ended_trace()

    def answer(event: str, context: Context) -> str:
        extension.submit(trace)
        assert published.batches == [], "not while the request waits"
        return event

    handler = extension.wrap(answer)
    api.invoke("one")
    assert handler("answer", Context("one")) == "answer"
    assert api.asked.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_the_extension_publishes_for_a_handler_that_raises(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api).start()

    def broken(event: str, context: Context) -> None:
        extension.submit(ended_trace())
        raise ValueError(event)

    api.invoke("one")
    with pytest.raises(ValueError, match="event"):
        extension.wrap(broken)("event", Context("one"))
    assert published.happened.acquire(timeout=SECONDS)


def test_extension_waits_no_longer_than_the_deadline(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api).start()
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("never handled", seconds=0.05)
    assert api.asked.acquire(timeout=SECONDS)
    handler = extension.wrap(lambda event, context: extension.submit(event))
    api.invoke("two")
    handler(ended_trace(), Context("two"))
    assert published.happened.acquire(timeout=SECONDS)


def test_end_of_an_earlier_invocation_is_told_apart(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api).start()
    handler = extension.wrap(lambda event, context: extension.submit(event))
    trace = ended_trace()
    api.invoke("two")
    extension.wrap(lambda event, context: None)("late", Context("one"))
    assert api.awaited.acquire(timeout=SECONDS)
    assert published.batches == []
    handler(trace, Context("two"))
    assert published.happened.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_extension_runs_periodic_tasks_after_each_invocation(api: FakeExtensionsApi) -> None:
    done = threading.Semaphore(0)
    extension = LambdaExtension(Published(), api).start()
    extension.add_periodic_task(done.release)
    handler = extension.wrap(lambda event, context: event)
    for request_id in ("one", "two"):
        api.invoke(request_id)
        handler(1, Context(request_id))
        assert done.acquire(timeout=SECONDS)


def test_extension_publishes_traces_of_periodic_tasks_at_once(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api).start()
    assert api.asked.acquire(timeout=SECONDS)
    extension.add_periodic_task(lambda: extension.submit(trace))
    api.invoke("one")
    extension.wrap(lambda event, context: event)(1, Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_the_extension_sends_what_is_left_when_it_is_closed(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api).start()
    extension.submit(trace)
    assert extension.close(SECONDS)
    assert published.traces == [trace]


def test_without_a_worker_traces_are_sent_while_the_request_waits() -> None:
    published, tasks = Published(), list[int]()
    worker, trace = InRequest(published), ended_trace()
    worker.add_periodic_task(lambda: tasks.append(1))
    handler = worker.wrap(lambda event, context: worker.submit(event))
    handler(trace, None)
    assert published.traces == [trace]
    assert tasks == [1]
    assert worker.close(SECONDS)
    assert worker.flush(SECONDS)
