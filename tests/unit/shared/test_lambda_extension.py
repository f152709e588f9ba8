"""An extension comes to the end of each invocation, whatever its handlers, their contexts and Lambda's API do."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource

from offpath.attributes import INVOCATION_ID
from offpath.contracts.errors import Transient
from offpath.tracing._collector import TraceCollector
from offpath.tracing._event_sequence import EventSequence, SystemRandomIds
from offpath.tracing._lambda_extension import ExtensionSettings, LambdaExtension
from offpath.tracing._light_span import LightTracer
from offpath.tracing._otlp import encode
from tests.support.builders.spans import ended_trace
from tests.support.fakes.extensions_api import FakeExtensionsApi
from tests.support.invocations import Context, NoRequests, Published, begin_and_wait
from tests.support.otlp_json import attributes_of, spans_of
from tests.support.waiting import DEADLINE_SECONDS as SECONDS
from tests.support.waiting import wait_for

AS_BY_DEFAULT = ExtensionSettings()
LONG = 10 * SECONDS


@pytest.fixture
def api() -> Iterator[FakeExtensionsApi]:
    """Yield a Lambda that ends with the test."""
    api = FakeExtensionsApi()
    yield api
    api.end()


def started(
    api: FakeExtensionsApi, published: Published, settings: ExtensionSettings = AS_BY_DEFAULT
) -> LambdaExtension:
    extension = LambdaExtension(published, api, NoRequests(), settings).start()
    assert api.asked.acquire(timeout=SECONDS)
    return extension


def submitting(extension: LambdaExtension) -> Callable[[Any, Any], Any]:
    return extension.wrap(lambda event, context: extension.submit(ended_trace(event)))


def published_names(published: Published) -> list[str]:
    return [trace.head.name for trace in published.traces]


class Odd:
    """A context of a team's own. aws_request_id, seconds: whatever it takes them for."""

    def __init__(self, aws_request_id: object = None, seconds: object = None) -> None:
        self.aws_request_id = aws_request_id
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> object:
        if isinstance(self._seconds, Exception):
            raise self._seconds
        return self._seconds


class Broken:
    """A context whose attributes raise."""

    @property
    def aws_request_id(self) -> str:
        raise RuntimeError("no id")


@pytest.mark.parametrize(
    "context",
    [Context("another"), Odd(17), Odd("x", "soon"), Odd("x", ValueError("no")), Broken(), object(), {"a": 1}],
    ids=["another id", "a number", "no time", "raises", "broken", "an object", "a dict"],
)
def test_a_context_of_the_teams_own_ends_each_invocation(api: FakeExtensionsApi, context: Any) -> None:
    published = Published()
    handler = submitting(started(api, published))
    for request_id in ("one", "two", "three"):
        api.invoke(request_id, LONG)
        handler(request_id, context)
        assert api.asked.acquire(timeout=SECONDS), "the invocation is held up"
        assert published_names(published)[-1] == request_id


def tracing_into(extension: LambdaExtension) -> Callable[[Any, Any], Any]:
    """Return a handler that makes a span, which a collector hands to the extension as `install` lets it."""
    collector = TraceCollector(EventSequence())
    collector.deliver_to(extension.submit, extension.flush)
    collector.describe_invocations_by(extension.of_invocation)
    tracer = LightTracer("test", Resource({}), SystemRandomIds(), collector)
    extension.add_periodic_task(lambda: tracer.start_span("a shadow").end())
    return extension.wrap(lambda event, context: tracer.start_span(event).end())


def test_a_trace_says_which_invocation_it_is_of(api: FakeExtensionsApi) -> None:
    published = Published()
    handler = tracing_into(started(api, published))
    for request_id in ("one", "two"):
        api.invoke(request_id, LONG)
        handler(request_id, Context(request_id))
        assert api.asked.acquire(timeout=SECONDS), "the invocation is held up"
    # What is traced after the response is no answer to it.
    assert [(trace.head.name, dict(trace.said)) for trace in published.traces] == [
        ("one", {INVOCATION_ID: "one"}),
        ("a shadow", {}),
        ("two", {INVOCATION_ID: "two"}),
        ("a shadow", {}),
    ]
    [root] = spans_of(encode(published.traces[2], "offpath").body).values()
    assert attributes_of(root)["faas.invocation_id"] == {"stringValue": "two"}


def test_without_an_invocations_id_a_trace_names_none(api: FakeExtensionsApi) -> None:
    published = Published()
    handler = tracing_into(started(api, published))
    api.invoke("one", LONG)
    handler("one", Odd(17))
    assert api.asked.acquire(timeout=SECONDS), "the invocation is held up"
    assert [dict(trace.said) for trace in published.traces] == [{}, {}]


def test_the_first_invocations_context_ends_later_ones(api: FakeExtensionsApi) -> None:
    published, kept = Published(), Context("one", LONG)
    handler = submitting(started(api, published))
    for request_id in ("one", "two", "three"):
        api.invoke(request_id, LONG)
        handler(request_id, kept)
        assert api.asked.acquire(timeout=SECONDS), "the invocation is held up"
    assert published_names(published) == ["one", "two", "three"]


@pytest.mark.parametrize("gap_seconds", [0.0, 0.2])
def test_handlers_one_after_the_other_are_all_published(api: FakeExtensionsApi, gap_seconds: float) -> None:
    published = Published()
    handler = submitting(started(api, published))
    submitted = list[str]()
    for invocation in ("one", "two"):
        api.invoke(invocation, LONG)
        for number in range(3):
            submitted.append(f"{invocation} {number}")
            handler(submitted[-1], Context(invocation))
            time.sleep(gap_seconds)  # a team's own work between its handlers
        wait_for(lambda: published_names(published) == submitted, lambda: f"published: {published_names(published)}")
        assert api.asked.acquire(timeout=SECONDS)


def test_a_handler_after_the_invocations_end_publishes_itself(api: FakeExtensionsApi) -> None:
    published = Published()
    handler = submitting(started(api, published))
    api.invoke("one", LONG)
    handler("first", Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    handler("second", Context("one"))
    assert published_names(published) == ["first", "second"]
    api.invoke("two", LONG)
    handler("third", Context("two"))
    assert api.asked.acquire(timeout=SECONDS)
    assert published_names(published) == ["first", "second", "third"]


class FailsOnce(FakeExtensionsApi):
    """A Lambda whose API fails at one call, and answers again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error: Exception | None = error
        self.fail = threading.Event()
        self.failed = threading.Event()

    def wait(self) -> None:
        if (error := self._error) is not None:
            self.asked.release()
            self.fail.wait(SECONDS)
            self._error = None
            self.failed.set()
            raise error
        super().wait()


@pytest.mark.parametrize("error", [Transient("reset"), RuntimeError("a defect")])
def test_an_error_of_the_api_ends_no_environment(error: Exception) -> None:
    api, published = FailsOnce(error), Published()
    extension = started(api, published)
    handler = submitting(extension)
    extension.submit(ended_trace("waits"))
    api.fail.set()
    assert published.happened.acquire(timeout=SECONDS), "what waits is published"
    assert api.asked.acquire(timeout=SECONDS), "it asks again"
    for request_id in ("one", "two"):
        api.invoke(request_id)
        handler(request_id, Context(request_id))
        assert api.asked.acquire(timeout=SECONDS)
    assert published_names(published) == ["waits", "one", "two"]
    api.end()


def test_without_an_api_traces_are_sent_before_the_response(caplog: pytest.LogCaptureFixture) -> None:
    api, published = FakeExtensionsApi(), Published()
    extension = started(api, published)
    extension.submit(ended_trace("waits"))
    api.end()
    assert published_names(published) == ["waits"]
    assert "the extension has ended" in caplog.text
    handler = submitting(extension)
    for request_id in ("one", "two"):
        handler(request_id, Context(request_id))
        assert published_names(published)[-1] == request_id


def test_an_extension_that_is_closed_keeps_to_its_limit(api: FakeExtensionsApi) -> None:
    begun, release = threading.Event(), threading.Event()
    published = Published(hang=begin_and_wait(begun, release))
    extension = started(api, published)
    in_hand, waits = ended_trace("in hand"), ended_trace("waits")
    extension.submit(in_hand)
    sending = threading.Thread(target=extension.flush, args=[LONG])
    sending.start()
    assert begun.wait(SECONDS)
    extension.submit(waits)
    assert not extension.close(0.3)
    assert published.logged == [waits, in_hand]
    release.set()
    sending.join(SECONDS)


def test_what_is_in_hand_is_waited_for_at_the_close(api: FakeExtensionsApi) -> None:
    begun, release = threading.Event(), threading.Event()
    published = Published(hang=begin_and_wait(begun, release))
    extension = started(api, published)
    extension.submit(ended_trace())
    sending = threading.Thread(target=extension.flush, args=[LONG])
    sending.start()
    assert begun.wait(SECONDS)
    threading.Timer(0.05, release.set).start()
    assert extension.close(SECONDS)
    assert published.logged == []
    sending.join(SECONDS)


def test_a_flush_not_in_time_logs_what_it_holds(api: FakeExtensionsApi) -> None:
    release, trace = threading.Event(), ended_trace()
    published = Published(hang=lambda: release.wait(SECONDS))
    extension = started(api, published)
    extension.submit(trace)
    assert not extension.flush(0.3)
    assert published.logged == [trace]
    release.set()


def test_nothing_waits_for_a_snapshot(api: FakeExtensionsApi) -> None:
    published = Published()
    extension = started(api, published, ExtensionSettings(is_snapshotted=True))
    extension.submit(ended_trace("primed"))
    handler = submitting(extension)
    handler("primed by a call", Context("priming"))
    assert published_names(published) == ["primed", "primed by a call"]
    extension.begin_anew()  # as the environment is restored
    api.invoke("one", LONG)
    seen = list[str]()

    def answer(event: str, context: Context) -> None:
        extension.submit(ended_trace(event))
        seen.extend(published_names(published))

    extension.wrap(answer)("one", Context("one"))
    assert api.asked.acquire(timeout=SECONDS)
    assert seen == ["primed", "primed by a call"], "the response does not wait"
    assert published_names(published)[-1] == "one"


def test_a_handler_that_outlives_its_time_out_ends_no_other(api: FakeExtensionsApi) -> None:
    published, release = Published(), threading.Event()
    extension = started(api, published, ExtensionSettings(flush_margin_seconds=0.1))
    begun = threading.Event()
    first = threading.Thread(target=extension.wrap(lambda *_: begin_and_wait(begun, release)()), args=[1, Context("1")])
    api.invoke("1", 0.3)
    first.start()
    assert begun.wait(SECONDS)
    assert api.asked.acquire(timeout=SECONDS), "the time-out is over"
    api.invoke("2", LONG)

    def second(event: str, context: Context) -> None:
        release.set()
        first.join(SECONDS)
        extension.submit(ended_trace(event))

    extension.wrap(second)("second", Context("2"))
    assert api.asked.acquire(timeout=SECONDS)
    assert published_names(published) == ["second"]
