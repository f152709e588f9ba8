"""Light spans say what the SDK's own spans say: the same story told by both tracers is the same OTLP/JSON."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer
from opentelemetry.trace.span import TraceState

from offpath.testing import RecordingTracing
from tests.support.coroutines import run

CALLER = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(0), trace_state=TraceState([("vendor", "1")]))


def attributes(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER, attributes={"a": "1", "b": 2}) as span:
        span.set_attribute("c", 1.5)
        span.set_attributes({"d": True, "b": 3, "e": ["x", "y"]})


def children(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("first"), tracer.start_as_current_span("inner"):
            pass
        with tracer.start_as_current_span("second", kind=SpanKind.CLIENT):
            assert trace.get_current_span().is_recording()


def another_name(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as span:
        span.update_name("renamed")


def events_and_links(tracer: Tracer) -> None:
    link = trace.Link(CALLER, {"why": "because"})
    with tracer.start_as_current_span("root", links=[link]) as span:
        span.add_event("happened", {"how": "well"}, timestamp=5)
        span.add_link(CALLER, {"also": 1})


def a_callers_trace(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root", trace.set_span_in_context(NonRecordingSpan(CALLER))):
        pass


def an_exception(tracer: Tracer) -> None:
    with suppress(ValueError), tracer.start_as_current_span("root"):
        raise ValueError("wrong")


def an_exception_that_is_not_recorded(tracer: Tracer) -> None:
    with (
        suppress(ValueError),
        tracer.start_as_current_span("root", record_exception=False, set_status_on_exception=False),
    ):
        raise ValueError("wrong")


def an_error(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as span:
        span.set_status(Status(StatusCode.ERROR, "refused"))
        span.set_status(StatusCode.UNSET)


def a_success_that_is_final(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root") as span:
        span.set_status(StatusCode.OK)
        span.set_status(Status(StatusCode.ERROR, "too late"))


def given_times(tracer: Tracer) -> None:
    span = tracer.start_span("root", start_time=1_000)
    span.end(2_000)
    span.end(3_000)


def a_decorated_function(tracer: Tracer) -> None:
    @tracer.start_as_current_span("call", attributes={"a": 1})
    def call(number: int) -> int:
        with tracer.start_as_current_span(f"inner {number}"):
            return number

    assert [call(1), call(2)] == [1, 2]


def a_decorated_function_that_raises(tracer: Tracer) -> None:
    @tracer.start_as_current_span("call")
    def call() -> None:
        raise ValueError("wrong")

    for _ in range(2):
        with suppress(ValueError):
            call()


def a_decorated_coroutine(tracer: Tracer) -> None:
    @tracer.start_as_current_span("call")
    async def call(number: int) -> int:
        await asyncio.sleep(0)
        with tracer.start_as_current_span(f"inner {number}"):
            return number

    async def together() -> list[int]:
        return list(await asyncio.gather(call(1), call(1)))

    assert run(together()) == [1, 1]


def a_span_that_outlives_its_block(tracer: Tracer) -> None:
    with tracer.start_as_current_span("root", end_on_exit=False) as span:
        assert trace.get_current_span() is span
    span.end()


def an_exception_that_is_no_error(tracer: Tracer) -> None:
    with suppress(GeneratorExit), tracer.start_as_current_span("root"):
        raise GeneratorExit


STORIES = (
    attributes,
    children,
    another_name,
    events_and_links,
    a_callers_trace,
    an_exception,
    an_exception_that_is_not_recorded,
    an_error,
    a_success_that_is_final,
    given_times,
    a_decorated_function,
    a_decorated_function_that_raises,
    a_decorated_coroutine,
    a_span_that_outlives_its_block,
    an_exception_that_is_no_error,
)


def told(story: Callable[[Tracer], None], kind: str) -> Any:
    tracing = RecordingTracing()
    story(tracing.tracer("story") if kind == "light" else tracing.provider.get_tracer("story"))
    return _comparable(tracing)


def _comparable(tracing: RecordingTracing) -> Any:
    """The events, without what no two runs have in common."""
    seen: dict[str, str] = {}
    return [_without_chance(json.loads(event.body), seen) for event in tracing.events]


def _without_chance(value: Any, seen: dict[str, str]) -> Any:
    """Ids are numbered as they come, times of day are left out, and attributes sorted: their order says nothing."""
    match value:
        case dict():
            return {key: _without_chance(found, seen) for key, found in value.items()}
        case list():
            found = [_without_chance(item, seen) for item in value]
            return sorted(found, key=lambda item: item["key"]) if found and "key" in found[0] else found
        case str() if re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{16}", value):
            return seen.setdefault(value, f"id {len(seen)}")
        case str() if re.fullmatch(r"\d{19}", value):
            return "now"
        case str() if value.startswith("Traceback"):
            return value.splitlines()[-1]
    return value


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_both_tracers_tell_the_same_story(story: Callable[[Tracer], None]) -> None:
    light = told(story, "light")
    assert light == told(story, "sdk")
    assert light, "something was told"


@pytest.mark.filterwarnings("ignore:Setting attribute on ended span")
def test_what_is_told_after_the_end_is_not_heard() -> None:
    tracing = RecordingTracing()
    span = tracing.tracer("story").start_span("root")
    span.end()
    span.set_attribute("a", 1)
    span.set_attributes({"b": 1})
    span.update_name("other")
    span.add_event("late")
    span.add_link(CALLER)
    span.set_status(StatusCode.ERROR)
    assert not span.is_recording()
    assert tracing.traces[0].root.name == "root"
    assert "late" not in tracing.events[0].body
    assert json.loads(tracing.events[0].body)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"] == {}


def test_a_decorated_generator_is_one_span_of_its_whole_life() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("story")

    @tracer.start_as_current_span("steps")
    def steps() -> Iterator[int]:
        for number in range(2):
            with tracer.start_as_current_span(f"step {number}"):
                yield number

    assert list(steps()) == [0, 1]
    [recorded] = tracing.traces
    assert [span.name for span in recorded.spans] == ["step 0", "step 1", "steps"]
