"""Work off the request path: a thread, Lambda's time after the response, or no worker at all."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from offpath.tracing._background_thread import BackgroundThread
from offpath.tracing._lambda_extension import ExtensionSettings, LambdaExtension
from offpath.tracing._otlp import EndedTrace, size_of
from offpath.tracing._workers import InRequest
from tests.support.builders.spans import ended_trace
from tests.support.fakes.extensions_api import FakeExtensionsApi
from tests.support.invocations import Context, NoRequests, Published, begin_and_wait
from tests.support.waiting import DEADLINE_SECONDS, wait_for

SECONDS = DEADLINE_SECONDS


@pytest.fixture
def api() -> Iterator[FakeExtensionsApi]:
    """Yield a Lambda that ends with the test."""
    api = FakeExtensionsApi()
    yield api
    api.end()


def test_thread_publishes_what_is_submitted_and_the_rest_at_end() -> None:
    published = Published()
    worker = BackgroundThread(published).start()
    traces = [ended_trace() for _ in range(25)]
    for trace in traces:
        worker.submit(trace)
    assert worker.close(SECONDS)
    assert published.traces == traces
    assert max(map(len, published.batches)) <= 10


def test_thread_outlives_a_defect_and_runs_periodic_tasks() -> None:
    published, task = Published(fail=True), threading.Semaphore(0)
    worker = BackgroundThread(published, idle_seconds=0.01).start()

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
    worker = BackgroundThread(published, idle_seconds=0.01).start()

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
    worker = BackgroundThread(published, idle_seconds=0.01).start()

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


def test_thread_that_cannot_finish_logs_what_it_holds() -> None:
    release, begun = threading.Event(), threading.Event()
    published = Published(hang=begin_and_wait(begun, release))
    worker = BackgroundThread(published).start()
    traces = [ended_trace() for _ in range(4)]
    worker.submit(traces[0])
    assert begun.wait(SECONDS)
    for trace in traces[1:]:
        worker.submit(trace)
    assert not worker.flush(0.01)
    assert not worker.close(0.01)
    assert published.logged == traces, "the one in hand, too"
    release.set()
    assert worker.close(SECONDS)


def test_whoever_waits_for_a_flush_is_told_of_its_failure() -> None:
    release, begun, told = threading.Event(), threading.Event(), list[bool]()
    worker = BackgroundThread(Published(hang=begin_and_wait(begun, release))).start()
    worker.submit(ended_trace())
    assert begun.wait(SECONDS)
    worker.when_published(told.append)
    assert not worker.close(0.01)
    assert told == [False]
    release.set()
    assert worker.close(SECONDS)


def test_what_comes_beyond_the_bound_is_spilled_then_logged() -> None:
    release, begun = threading.Event(), threading.Event()
    published = Published(hang=begin_and_wait(begun, release))
    spilling = threading.Event()

    def slow_spill(traces: Sequence[EndedTrace]) -> None:
        spilling.set()
        release.wait(SECONDS)
        published.spilled.extend(traces)

    published.spill = slow_spill  # type: ignore[method-assign]
    worker = BackgroundThread(published, most_bytes=25_000).start()
    traces = [ended_trace(text="x" * 10_000) for _ in range(6)]
    worker.submit(traces[0])
    assert begun.wait(SECONDS)
    for trace in traces[1:4]:
        worker.submit(trace)
    assert spilling.wait(SECONDS)
    for trace in traces[4:]:
        worker.submit(trace)
    assert published.logged == traces[4:]
    release.set()
    assert worker.close(SECONDS)
    assert published.traces == traces[:2]
    assert published.spilled == traces[2:4]


def test_a_flush_waits_for_what_was_submitted() -> None:
    published, trace = Published(), ended_trace()
    worker = BackgroundThread(published).start()
    worker.submit(trace)
    assert worker.flush(SECONDS)
    assert published.traces == [trace]
    worker.close(SECONDS)


def test_the_thread_leaves_a_handler_alone() -> None:
    worker = BackgroundThread(Published()).start()

    def handler(event: object, context: object) -> None:
        pass

    assert worker.wrap(handler) is handler
    worker.close(SECONDS)


def test_extension_publishes_between_handler_and_next_event(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()
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
    extension = LambdaExtension(published, api, NoRequests()).start()

    def broken(event: str, context: Context) -> None:
        extension.submit(ended_trace())
        raise ValueError(event)

    api.invoke("one")
    with pytest.raises(ValueError, match="event"):
        extension.wrap(broken)("event", Context("one"))
    assert published.happened.acquire(timeout=SECONDS)


def test_extension_waits_no_longer_than_the_deadline(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("never handled", seconds=0.05)
    assert api.asked.acquire(timeout=SECONDS)
    handler = extension.wrap(lambda event, context: extension.submit(event))
    api.invoke("two")
    handler(ended_trace(), Context("two"))
    assert published.happened.acquire(timeout=SECONDS)


def test_end_of_an_earlier_invocation_is_told_apart(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()
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
    extension = LambdaExtension(Published(), api, NoRequests()).start()
    extension.add_periodic_task(done.release)
    handler = extension.wrap(lambda event, context: event)
    for request_id in ("one", "two"):
        api.invoke(request_id)
        handler(1, Context(request_id))
        assert done.acquire(timeout=SECONDS)


def test_extension_publishes_traces_of_periodic_tasks_at_once(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api, NoRequests()).start()
    assert api.asked.acquire(timeout=SECONDS)
    extension.add_periodic_task(lambda: extension.submit(trace))
    api.invoke("one")
    extension.wrap(lambda event, context: event)(1, Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert published.traces == [trace]


def test_traces_leave_while_their_handler_still_runs(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api, NoRequests()).start()

    def long(event: str, context: Context) -> str:
        extension.submit(trace)
        assert published.happened.acquire(timeout=SECONDS)
        return event

    handler = extension.wrap(long)
    api.invoke("one")
    assert handler("answer", Context("one")) == "answer"
    assert published.traces == [trace]


class OneRequest(NoRequests):
    """One request is under way."""

    def __init__(self) -> None:
        self.trace = ended_trace("unfinished")
        self.reasons: list[str] = []

    def unfinished(self, reason: str) -> list[EndedTrace]:
        self.reasons.append(reason)
        return [self.trace]


@pytest.mark.parametrize("seconds", [0.6, 1.6], ids=["before it is read", "after it is read"])
def test_what_has_ended_is_published_before_the_time_out(api: FakeExtensionsApi, seconds: float) -> None:
    published, trace, request, release = Published(), ended_trace(), OneRequest(), threading.Event()
    how = ExtensionSettings(flush_margin_seconds=0.5)
    extension = LambdaExtension(published, api, request, how).start()

    def hanging(event: str, context: Context) -> None:
        extension.submit(trace)
        release.wait(SECONDS)

    handler = extension.wrap(hanging)
    api.invoke("one", seconds)
    running = threading.Thread(target=handler, args=["event", Context("one", seconds)])
    running.start()
    wait_for(lambda: request.trace in published.traces, lambda: "nothing was published before the time-out")
    assert trace in published.traces
    assert request.reasons == ["invocation one came close to its time-out"]
    release.set()
    running.join(SECONDS)


def test_what_cannot_be_sent_before_the_time_out_is_logged(api: FakeExtensionsApi) -> None:
    release, trace, done = threading.Event(), ended_trace(), threading.Event()
    published = Published(hang=lambda: release.wait(SECONDS))
    extension = LambdaExtension(published, api, NoRequests(), ExtensionSettings(flush_margin_seconds=0.5)).start()

    def hanging(event: str, context: Context) -> None:
        extension.submit(trace)
        done.wait(SECONDS)

    handler = extension.wrap(hanging)
    api.invoke("one", 1.0)
    running = threading.Thread(target=handler, args=["event", Context("one", 1.0)])
    running.start()
    wait_for(lambda: published.logged, lambda: "nothing was logged before the time-out")
    assert published.logged == [trace]
    release.set()
    done.set()
    running.join(SECONDS)


def test_of_nested_handlers_the_outermost_ends_the_invocation(api: FakeExtensionsApi) -> None:
    published, late = Published(), ended_trace("late")
    extension = LambdaExtension(published, api, NoRequests()).start()
    inner = extension.wrap(lambda event, context: extension.submit(ended_trace("inner")))

    def outer(event: str, context: Context) -> None:
        inner(event, context)
        assert not published.happened.acquire(timeout=0.2), "the invocation goes on"
        extension.submit(late)

    handler = extension.wrap(outer)
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("one")
    handler("event", Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert [trace.head.name for trace in published.traces] == ["inner", "late"]


def test_without_a_wrapper_traces_are_sent_before_the_response(
    api: FakeExtensionsApi, caplog: pytest.LogCaptureFixture
) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api, NoRequests()).start()
    assert api.asked.acquire(timeout=SECONDS)
    for request_id in ("one", "two"):
        api.invoke(request_id)
        assert api.asked.acquire(timeout=SECONDS), "the environment is not held up"
        extension.submit(trace)
    assert published.traces == [trace, trace]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "invocation one reached no handler that is wrapped"
    ]


def test_a_wrapper_that_comes_later_is_waited_for_again(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("none")
    assert api.asked.acquire(timeout=SECONDS)
    handler = extension.wrap(lambda event, context: extension.submit(ended_trace(event)))
    for request_id in ("one", "two", "three"):
        api.invoke(request_id)
        handler(request_id, Context(request_id))
        assert api.asked.acquire(timeout=SECONDS)
        assert published.traces[-1].head.name == request_id


def test_a_flush_within_an_invocation_holds_up_no_response(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()

    def flushing(event: str, context: Context) -> None:
        extension.submit(ended_trace())
        assert extension.flush(SECONDS)
        assert published.batches == []

    handler = extension.wrap(flushing)
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("one")
    handler("event", Context("one"))
    assert published.happened.acquire(timeout=SECONDS)
    assert api.asked.acquire(timeout=SECONDS)
    extension.submit(ended_trace("between invocations"))
    assert extension.flush(SECONDS)
    assert published.traces[-1].head.name == "between invocations"


def test_a_response_that_waits_has_its_receipts(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    how = ExtensionSettings(before_response=True)
    extension = LambdaExtension(published, api, NoRequests(), how).start()
    handler = extension.wrap(lambda event, context: extension.submit(trace))
    api.invoke("one")
    handler("event", Context("one"))
    assert published.traces == [trace]


def test_a_span_around_the_handler_is_waited_for_once(api: FakeExtensionsApi) -> None:
    published, asked = Published(), list[int]()

    class Requests(NoRequests):
        def newest_request(self) -> int:
            asked.append(1)
            return int(len(asked) < 3)

    extension = LambdaExtension(published, api, Requests()).start()
    handler = extension.wrap(lambda event, context: extension.submit(ended_trace()))
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("one")
    handler("event", Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert len(asked) >= 3
    assert len(published.traces) == 1


def test_beyond_the_bound_whoever_ends_a_trace_sends(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests(), ExtensionSettings(most_bytes=15_000)).start()

    def many(event: str, context: Context) -> None:
        for number in range(4):
            extension.submit(ended_trace(str(number), text="x" * 10_000))
        assert [trace.head.name for trace in published.traces] == ["0", "1", "2", "3"]

    handler = extension.wrap(many)
    api.invoke("one")
    handler("event", Context("one"))


def test_the_extension_sends_what_is_left_when_it_is_closed(api: FakeExtensionsApi) -> None:
    published, trace = Published(), ended_trace()
    extension = LambdaExtension(published, api, NoRequests()).start()
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


def test_a_handler_without_lambdas_context_ends_its_invocation(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = LambdaExtension(published, api, NoRequests()).start()
    handler = extension.wrap(lambda event, context: extension.submit(ended_trace()))
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("one")
    handler("event", None)  # by a function of the team's own, which is what Lambda calls
    assert api.asked.acquire(timeout=SECONDS)
    assert len(published.traces) == 1


def test_a_flush_around_a_response_that_waits_publishes(api: FakeExtensionsApi) -> None:
    published, around = Published(), ended_trace("around")
    extension = LambdaExtension(published, api, NoRequests(), ExtensionSettings(before_response=True)).start()
    handler = extension.wrap(lambda event, context: None)
    assert api.asked.acquire(timeout=SECONDS)
    api.invoke("one")
    handler("event", Context("one"))
    extension.submit(around)  # as an instrumentation's span ends, after the handler
    extension.flush(SECONDS)
    assert published.traces == [around]


def test_what_is_submitted_after_the_end_is_logged() -> None:
    published, told, trace = Published(), list[bool](), ended_trace()
    worker = BackgroundThread(published).start()
    assert worker.close(SECONDS)
    worker.submit(trace)
    worker.when_published(told.append)
    assert not worker.flush(SECONDS)
    assert published.logged == [trace]
    assert told == [False]


def test_lists_and_dicts_count_towards_the_bound() -> None:
    texts: list[Any] = [{"messages": [{"text": "x" * 5_000}] * 2}, ["x" * 10_000]]
    for value in texts:
        assert 10_000 < size_of(ended_trace(outputs=value)) < 15_000


def test_the_sending_thread_does_not_wait_for_itself() -> None:
    answers = list[bool]()
    published = Published(hang=lambda: answers.append(worker.flush(SECONDS)))
    worker = BackgroundThread(published).start()
    began = ended_trace()
    worker.submit(began)
    assert worker.flush(SECONDS)
    assert (published.traces, answers) == ([began], [False])
    assert worker.close(SECONDS)


def test_a_task_may_close_its_worker() -> None:
    published, trace, closed = Published(), ended_trace(), threading.Event()
    worker = BackgroundThread(published, idle_seconds=0.01).start()
    worker.submit(trace)

    def close() -> None:
        worker.close(SECONDS)
        closed.set()

    worker.add_periodic_task(close)
    assert closed.wait(SECONDS)
    assert published.traces == [trace]


def close_while_submitting(published: Published, count: int) -> BackgroundThread:
    """Close a worker while two threads submit so many traces to it."""
    worker, begun = BackgroundThread(published).start(), threading.Barrier(3)

    def submit() -> None:
        begun.wait(SECONDS)
        for _ in range(count // 2):
            worker.submit(ended_trace())

    threads = [threading.Thread(target=submit) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun.wait(SECONDS)
    worker.close(SECONDS)
    for thread in threads:
        thread.join(SECONDS)
    return worker


def test_nothing_is_lost_between_the_end_and_the_last_look() -> None:
    for _ in range(50):
        published, told = Published(), list[bool]()
        worker = close_while_submitting(published, 40)
        worker.when_published(told.append)
        assert len(published.traces) + len(published.spilled) + len(published.logged) == 40
        assert told == [False]
