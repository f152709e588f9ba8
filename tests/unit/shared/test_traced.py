"""A call, or a block, is one span, whatever kind of function is called."""

import asyncio
import contextvars
import functools
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Self

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

import offpath
from offpath.testing import RecordingTracing
from tests.support.coroutines import run
from tests.support.waiting import DEADLINE_SECONDS


@pytest.fixture(autouse=True)
def tracing() -> Iterator[RecordingTracing]:
    with RecordingTracing() as recording:
        yield recording


def only_span(tracing: RecordingTracing) -> ReadableSpan:
    """Return the one span that was recorded."""
    [recorded] = tracing.traces
    [span] = recorded.spans
    return span


def current_name() -> str:
    """Return the name of the current span, empty where there is none."""
    span = trace.get_current_span()
    return str(getattr(span, "name", ""))


@offpath.traced
def plain(text: str) -> str:
    return f"{text} in {current_name()}"


@offpath.traced
async def coroutine(text: str) -> str:
    await asyncio.sleep(0)
    return f"{text} in {current_name()}"


def answer_of(call: Callable[[str], Any]) -> Any:
    answer = call("a")
    return run(_awaited(answer)) if isinstance(answer, Awaitable) else answer


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


@pytest.mark.parametrize("function", [plain, coroutine])
def test_a_call_is_a_span_that_is_current_within_it(function: Any, tracing: RecordingTracing) -> None:
    assert answer_of(function) == f"a in {function.__name__}"
    assert only_span(tracing).name == function.__name__
    assert current_name() == ""


def test_a_span_has_the_name_and_attributes_that_are_given(tracing: RecordingTracing) -> None:
    @offpath.traced("price", attributes={"currency": "EUR"})
    def priced() -> str:
        return current_name()

    assert priced() == "price"
    assert dict(only_span(tracing).attributes or {}) == {"currency": "EUR"}


def test_spans_of_nested_calls_are_one_trace(tracing: RecordingTracing) -> None:
    @offpath.traced
    def outer() -> str:
        return plain("a")

    outer()
    [recorded] = tracing.traces
    assert [span.name for span in recorded.spans] == ["plain", "outer"]
    assert recorded.span("plain").parent == recorded.root.context


def test_a_decorated_function_keeps_its_name_and_description() -> None:
    @offpath.traced
    def described() -> None:
        """Do something."""

    assert (described.__name__, described.__doc__) == ("described", "Do something.")


def test_an_exception_is_noted_and_raised_on(tracing: RecordingTracing) -> None:
    @offpath.traced
    def broken() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        broken()
    span = only_span(tracing)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: wrong")
    assert [event.name for event in span.events] == ["exception"]


def test_a_block_is_a_span(tracing: RecordingTracing) -> None:
    with offpath.traced("lookup", attributes={"cache": "hit"}) as span:
        assert current_name() == "lookup"
        span.set_attribute("cache", "miss")
    assert dict(only_span(tracing).attributes or {}) == {"cache": "miss"}


def test_an_exception_in_a_block_is_noted_and_raised_on(tracing: RecordingTracing) -> None:
    with pytest.raises(ValueError, match="wrong"), offpath.traced("lookup"):
        raise ValueError("wrong")
    assert only_span(tracing).status.status_code is StatusCode.ERROR


def test_a_block_without_a_name_is_refused() -> None:
    with pytest.raises(RuntimeError, match="needs a name"), offpath.traced():
        pass


def test_a_block_within_itself_is_refused(tracing: RecordingTracing) -> None:
    block = offpath.traced("lookup")
    with pytest.raises(RuntimeError, match="of its own"), block, block:
        pass
    assert only_span(tracing).name == "lookup"


def test_a_block_may_be_entered_again_after_its_end(tracing: RecordingTracing) -> None:
    block = offpath.traced("lookup")
    for _ in range(2):
        with block:
            pass
    assert len(tracing.traces) == 2


SHARED = offpath.traced("shared")


def test_threads_may_share_a_block(tracing: RecordingTracing) -> None:
    together = threading.Barrier(8)

    def work(number: int) -> None:
        for _ in range(20):
            with SHARED as span:
                together.wait(DEADLINE_SECONDS)
                with offpath.traced(f"inner {number}"):
                    span.set_attribute("number", number)
                together.wait(DEADLINE_SECONDS)

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    seen = []
    for recorded in tracing.traces:
        inner, outer = recorded.spans
        seen.append((inner.name, outer.name, (outer.attributes or {})["number"]))
    assert sorted(seen, key=str) == [(f"inner {number}", "shared", number) for number in range(8) for _ in range(20)]


def test_tasks_may_share_a_block(tracing: RecordingTracing) -> None:
    async def work(number: int, inside: asyncio.Event, go_on: asyncio.Event) -> None:
        with SHARED as span:
            span.set_attribute("number", number)
            inside.set()
            await go_on.wait()
            with offpath.traced(f"inner {number}"):
                pass

    async def story() -> None:
        events = [(asyncio.Event(), asyncio.Event()) for _ in range(3)]
        tasks = [asyncio.create_task(work(number, *pair)) for number, pair in enumerate(events)]
        for inside, _ in events:
            await inside.wait()
        for (_, go_on), task in zip(events, tasks, strict=True):  # the first that entered leaves first
            go_on.set()
            await task

    run(story())
    assert [[span.name for span in recorded.spans] for recorded in tracing.traces] == [
        [f"inner {number}", "shared"] for number in range(3)
    ]


def test_a_block_may_be_left_in_another_context(tracing: RecordingTracing) -> None:
    block = offpath.traced("block")
    for _ in range(2):
        contextvars.copy_context().run(block.__enter__)
        block.__exit__(None, None, None)
    block.__exit__(None, None, None)  # once too often
    assert [recorded.root.name for recorded in tracing.traces] == ["block", "block"]


@offpath.traced
def numbers(count: int) -> Generator[str, str, str]:
    heard = ""
    for number in range(count):
        heard += (yield f"{number} in {current_name()}") or ""
    return heard


def test_a_generator_is_one_span_current_while_its_code_runs(tracing: RecordingTracing) -> None:
    seen = [(item, current_name()) for item in numbers(2)]
    assert seen == [("0 in numbers", ""), ("1 in numbers", "")]
    assert only_span(tracing).name == "numbers"


def test_a_generator_hears_what_is_sent_and_returns_its_value(tracing: RecordingTracing) -> None:
    generator = numbers(2)
    next(generator)
    generator.send("a")
    with pytest.raises(StopIteration) as stop:
        generator.send("b")
    assert stop.value.value == "ab"
    assert only_span(tracing).status.status_code is StatusCode.UNSET


def test_abandoned_generator_ends_its_span(tracing: RecordingTracing) -> None:
    generator = numbers(9)
    next(generator)
    assert tracing.traces == []
    generator.close()
    assert only_span(tracing).status.status_code is StatusCode.UNSET


def test_an_exception_thrown_into_a_generator_reaches_it(tracing: RecordingTracing) -> None:
    @offpath.traced
    def patient() -> Iterator[str]:
        try:
            yield "first"
        except ValueError:
            yield f"caught in {current_name()}"

    generator: Any = patient()
    next(generator)
    assert generator.throw(ValueError("wrong")) == "caught in patient"
    assert list(generator) == []
    assert only_span(tracing).status.status_code is StatusCode.UNSET


def test_an_exception_of_a_generator_is_noted_and_raised_on(tracing: RecordingTracing) -> None:
    @offpath.traced
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        list(broken())
    span = only_span(tracing)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: wrong")
    assert [event.name for event in span.events] == ["exception"]


@offpath.traced
async def stream(count: int) -> AsyncIterator[str]:
    for number in range(count):
        await asyncio.sleep(0)
        yield f"{number} in {current_name()}"


def test_async_generator_is_one_span_while_it_runs(tracing: RecordingTracing) -> None:
    async def consume() -> list[tuple[str, str]]:
        return [(item, current_name()) async for item in stream(2)]

    assert run(consume()) == [("0 in stream", ""), ("1 in stream", "")]
    assert only_span(tracing).name == "stream"


def test_an_async_generator_that_is_closed_ends_its_span(tracing: RecordingTracing) -> None:
    cleaned: list[str] = []

    @offpath.traced
    async def careful() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            cleaned.append(current_name())

    async def consume() -> None:
        generator: Any = careful()
        await generator.__anext__()
        await generator.aclose()

    run(consume())
    assert cleaned == ["careful"]
    assert only_span(tracing).status.status_code is StatusCode.UNSET


def test_an_async_generator_hears_what_is_sent_and_thrown(tracing: RecordingTracing) -> None:
    @offpath.traced
    async def echo() -> AsyncIterator[Any]:
        heard: Any = "nothing"
        while True:
            try:
                heard = yield heard
            except ValueError as error:
                heard = str(error)

    async def consume() -> list[Any]:
        generator: Any = echo()
        heard = [await generator.__anext__(), await generator.asend("a"), await generator.athrow(ValueError("b"))]
        await generator.aclose()
        return heard

    assert run(consume()) == ["nothing", "a", "b"]
    assert only_span(tracing).name == "echo"


def test_exception_of_an_async_generator_is_noted_and_raised(tracing: RecordingTracing) -> None:
    @offpath.traced
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ValueError("wrong")

    async def consume() -> list[int]:
        return [item async for item in broken()]

    with pytest.raises(ValueError, match="wrong"):
        run(consume())
    assert only_span(tracing).status.status_code is StatusCode.ERROR


class Model:
    @offpath.traced(capture_inputs=True, capture_outputs=True)
    def predict(self, record: dict[str, float], scale: float = 1.0) -> list[float]:
        return [value * scale for value in record.values()]

    @classmethod
    @offpath.traced(capture_inputs=True)
    def load(cls, path: str) -> Self:
        return cls()


def captured(tracing: RecordingTracing) -> tuple[Any, Any]:
    """Return the inputs and outputs of the one span, None for what was not captured."""
    attributes = only_span(tracing).attributes or {}
    found = [attributes.get(name) for name in ("mlflow.spanInputs", "mlflow.spanOutputs")]
    inputs, outputs = (json.loads(str(text)) if text is not None else None for text in found)
    return inputs, outputs


class Awaited:
    """Its instances can be called, and the call is awaited."""

    async def __call__(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (classmethod(lambda cls: None), "below @classmethod"),
        (staticmethod(plain), "below @staticmethod"),
        (Awaited, "a function that calls it"),
        (Awaited(), "a function that calls it"),
        (functools.partial(plain, "a"), "a function that calls it"),
        (7, "a function that calls it"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("decorate", [offpath.traced, offpath.traced("name")], ids=["bare", "named"])
def test_what_is_no_function_is_refused_at_once(decorate: Any, wrong: object, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        decorate(wrong)


def test_a_cached_function_can_be_traced(tracing: RecordingTracing) -> None:
    @offpath.traced
    @functools.cache
    def cached(text: str) -> str:
        return f"{text} in {current_name()}"

    assert cached("a") == "a in cached"
    assert only_span(tracing).name == "cached"


def test_nothing_is_captured_unless_asked_for(tracing: RecordingTracing) -> None:
    plain("secret")
    assert captured(tracing) == (None, None)


def test_inputs_and_outputs_are_captured_without_the_receiver(tracing: RecordingTracing) -> None:
    Model().predict({"x": 2.0}, scale=3.0)
    assert captured(tracing) == ({"record": {"x": 2.0}, "scale": 3.0}, [6.0])


def test_a_class_method_is_captured_without_its_class(tracing: RecordingTracing) -> None:
    Model.load("model.onnx")
    assert captured(tracing) == ({"path": "model.onnx"}, None)


def test_inputs_are_as_they_were_before_the_call(tracing: RecordingTracing) -> None:
    @offpath.traced(capture_inputs=True)
    def clear(items: list[int]) -> None:
        items.clear()

    clear([1, 2])
    assert captured(tracing)[0] == {"items": [1, 2]}


def test_a_generators_outputs_are_its_items(tracing: RecordingTracing) -> None:
    @offpath.traced(capture_inputs=True, capture_outputs=True)
    def count(limit: int) -> Iterator[int]:
        yield from range(limit)

    assert list(count(3)) == [0, 1, 2]
    assert captured(tracing) == ({"limit": 3}, [0, 1, 2])


def test_an_async_generators_outputs_are_its_items(tracing: RecordingTracing) -> None:
    @offpath.traced(capture_outputs=True)
    async def count(limit: int) -> AsyncIterator[int]:
        for number in range(limit):
            yield number

    async def consume() -> list[int]:
        return [item async for item in count(3)]

    assert run(consume()) == [0, 1, 2]
    assert captured(tracing) == (None, [0, 1, 2])


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def holding_itself() -> dict[str, Any]:
    value: dict[str, Any] = {"kept": 1}
    value["self"] = value
    return value


def nested(depth: int, inmost: object = 1) -> object:
    value = inmost
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"bytes", "b'bytes'"),
        ({1}, "{1}"),
        ({(1, 2): 3, "kept": {"a": 1, (): [2]}}, {"(1, 2)": 3, "kept": {"a": 1, "()": [2]}}),
        ({"bad": Unshowable(), "kept": 1}, {"bad": "<Unshowable that cannot be shown>", "kept": 1}),
        (holding_itself(), {"kept": 1, "self": "<dict that cannot be shown>"}),
        ({"kept": 1, "deep": nested(50_000)}, {"kept": 1, "deep": nested(99, "<list that cannot be shown>")}),
        ({"kept": 1, (): 10**5_000}, {"kept": 1, "()": "<int that cannot be shown>"}),
        (Unshowable(), "<Unshowable that cannot be shown>"),
    ],
)
def test_what_json_does_not_have_fails_no_call(value: object, shown: str, tracing: RecordingTracing) -> None:
    @offpath.traced(capture_outputs=True)
    def give() -> object:
        return value

    assert give() is value
    assert captured(tracing)[1] == shown


def test_a_call_with_wrong_arguments_fails_as_it_would_untraced(tracing: RecordingTracing) -> None:
    @offpath.traced(capture_inputs=True)
    def strict(a: int) -> int:
        return a

    wrong: Any = strict
    with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
        wrong(1, b=2)
    assert captured(tracing)[0] == {"args": [1], "kwargs": {"b": 2}}


def test_the_latest_tracing_that_is_installed_makes_the_spans(tracing: RecordingTracing) -> None:
    with RecordingTracing() as inner:
        plain("a")
    plain("b")
    assert (len(inner.traces), len(tracing.traces)) == (1, 1)


def test_without_a_tracing_a_call_is_made_all_the_same(tracing: RecordingTracing) -> None:
    tracing.shutdown()
    assert plain("a").startswith("a in ")
    assert tracing.traces == []


def test_inputs_of_a_function_without_signature_are_refused() -> None:
    with pytest.raises(TypeError, match="tells no signature: leave capture_inputs out"):
        offpath.traced(capture_inputs=True)(max)
