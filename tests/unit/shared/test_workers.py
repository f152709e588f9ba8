"""Work off the request path: a thread, Lambda's time after the response, or no worker at all."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

import pytest

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import Invocation
from offpath.tracing._lambda_extension import LambdaExtension
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import BackgroundThread, InRequest
from tests.support.spans import ended_trace
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


@dataclass(frozen=True, slots=True)
class WatchedInvocation(Invocation):
    """An invocation that tells when an extension goes on waiting for the end of its handler."""

    awaited: threading.Semaphore

    def remaining_seconds(self) -> float:
        self.awaited.release()
        return Invocation.remaining_seconds(self)


class FakeExtensionsApi:
    """Lambda, as an extension sees it.

    `invoke` begins an invocation. asked: the next one is waited for. awaited: the end of this one's handler is, though
    another's has ended.
    """

    def __init__(self) -> None:
        self.registered = False
        self.asked = threading.Semaphore(0)
        self.awaited = threading.Semaphore(0)
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self._begun: Invocation | None = None

    def register(self) -> None:
        self.registered = True

    def wait(self) -> None:
        self.asked.release()
        begun = self._invocations.get()
        if begun is None:
            raise Transient("the environment ends")
        self._begun = begun

    def read(self) -> Invocation:
        assert self._begun, "an invocation is read once it has begun"
        return self._begun

    def invoke(self, request_id: str, seconds: float = SECONDS) -> None:
        self._invocations.put(WatchedInvocation(request_id, int((time.time() + seconds) * 1000), self.awaited))

    def end(self) -> None:
        """End the environment, and with it the extension's thread: what it logs is this test's."""
        self._invocations.put(None)
        for thread in threading.enumerate():
            if thread.name == "offpath-extension":
                thread.join(SECONDS)


@pytest.fixture
def api() -> Iterator[FakeExtensionsApi]:
    """Lambda, until the test has ended."""
    api = FakeExtensionsApi()
    yield api
    api.end()


@dataclass
class Context:
    aws_request_id: str


def test_the_thread_publishes_what_is_submitted_and_at_the_end_what_is_left() -> None:
    published = Published()
    worker = BackgroundThread(published, Published())
    traces = [ended_trace() for _ in range(25)]
    for trace in traces:
        worker.submit(trace)
    assert worker.close(SECONDS)
    assert published.traces == traces
    assert max(map(len, published.batches)) <= 10


def test_the_thread_outlives_a_defect_and_runs_chores() -> None:
    published, task = Published(fail=True), threading.Semaphore(0)
    worker = BackgroundThread(published, Published(), idle_seconds=0.01)

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


def test_a_chore_that_takes_long_holds_up_no_trace() -> None:
    published, begun, release = Published(), threading.Event(), threading.Event()
    worker = BackgroundThread(published, Published(), idle_seconds=0.01)

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


def test_what_a_chore_traces_while_the_thread_is_closed_is_published() -> None:
    published, begun, trace = Published(), threading.Event(), ended_trace()
    worker = BackgroundThread(published, Published(), idle_seconds=0.01)

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


def test_a_thread_that_cannot_finish_says_so_and_what_waits_is_rescued() -> None:
    release, begun, logged_unsent = threading.Event(), threading.Event(), Published()

    def hang(_: Sequence[EndedTrace]) -> None:
        begun.set()
        release.wait(SECONDS)

    worker = BackgroundThread(hang, logged_unsent)
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
    worker = BackgroundThread(published, Published())
    worker.submit(trace)
    assert worker.flush(SECONDS)
    assert published.traces == [trace]
    worker.close(SECONDS)


def test_the_thread_leaves_a_handler_alone() -> None:
    worker = BackgroundThread(Published(), Published())

    def handler(event: object, context: object) -> None:
        pass

    assert worker.wrap(handler) is handler
    worker.close(SECONDS)


def test_the_extension_publishes_after_the_handler_and_before_it_asks_for_more(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api)
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
    extension = LambdaExtension(published, api)

    def broken(event: str, context: Context) -> None:
        extension.submit(ended_trace())
        raise ValueError(event)

    api.invoke("one")
    with pytest.raises(ValueError, match="event"):
        extension.wrap(broken)("event", Context("one"))
    assert published.happened.acquire(timeout=SECONDS)


def test_the_extension_does_not_wait_beyond_the_deadline_of_a_handler_that_never_ran(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api)
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("never handled", seconds=0.05)
    assert api.asked.acquire(timeout=SECONDS)
    handler = extension.wrap(lambda event, context: extension.submit(event))
    api.invoke("two")
    handler(ended_trace(), Context("two"))
    assert published.happened.acquire(timeout=SECONDS)


def test_the_end_of_an_earlier_invocation_is_not_taken_for_this_ones(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api)
    handler = extension.wrap(lambda event, context: extension.submit(event))
    trace = ended_trace()
    api.invoke("two")
    extension.wrap(lambda event, context: None)("late", Context("one"))
    assert api.awaited.acquire(timeout=SECONDS)
    assert published.batches == []
    handler(trace, Context("two"))
    assert published.happened.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_the_extension_runs_chores_after_each_invocation(api: FakeExtensionsApi) -> None:
    done = threading.Semaphore(0)
    extension = LambdaExtension(Published(), api)
    extension.add_periodic_task(done.release)
    handler = extension.wrap(lambda event, context: event)
    for request_id in ("one", "two"):
        api.invoke(request_id)
        handler(1, Context(request_id))
        assert done.acquire(timeout=SECONDS)


def test_the_extension_publishes_what_its_chores_trace_within_the_same_invocation(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api)
    assert api.asked.acquire(timeout=SECONDS)
    extension.add_periodic_task(lambda: extension.submit(trace))
    api.invoke("one")
    extension.wrap(lambda event, context: event)(1, Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_the_extension_sends_what_is_left_when_it_is_closed(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api)
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
