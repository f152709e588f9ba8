"""Code that uses MLflow's own tracing: its spans leave by offpath, as whole traces, and by nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import mlflow
import pytest
from mlflow.entities import LiveSpan
from mlflow.tracing import provider
from mlflow.tracing.trace_manager import InMemoryTraceManager
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler, TraceIdRatioBased
from opentelemetry.trace import get_current_span

import offpath
from offpath.testing import RecordingTracing
from offpath.tracing import untraced
from offpath.tracing._mlflow_api import check_version
from offpath.tracing._mlflow_traces import MOST_TRACES
from tests.support import otlp_json
from tests.support.otlp_json import attributes_of


@pytest.fixture
def tracing() -> Iterator[RecordingTracing]:
    with RecordingTracing("shop") as recording:
        recording.capture_mlflow()
        yield recording
        recording.shutdown()


def spans_of(tracing: RecordingTracing) -> dict[str, dict[str, Any]]:
    """Return the spans of the one message that there is, by name."""
    [event] = tracing.events
    return otlp_json.spans_of(event.body)


def said(tracing: RecordingTracing, name: str) -> dict[str, Any]:
    """Return the attributes of one of these spans."""
    values = attributes_of(spans_of(tracing)[name])
    return {key: next(iter(value.values())) for key, value in values.items()}


def is_below(spans: dict[str, dict[str, Any]], child: str, parent: str) -> bool:
    return bool(spans[child]["parentSpanId"] == spans[parent]["spanId"])


def known_to_mlflow() -> set[int]:
    """Return the OpenTelemetry ids of the traces that MLflow keeps a record of."""
    return set(InMemoryTraceManager.get_instance()._otel_id_to_mlflow_trace_id)  # type: ignore[no-untyped-call]


@mlflow.trace(span_type="RETRIEVER")
def lookup(key: str) -> dict[str, str]:
    return {"key": key}


@mlflow.trace
def letters(word: str) -> Iterator[str]:
    for letter in word:
        yield lookup(letter)["key"]


@mlflow.trace
async def later(word: str) -> str:
    await asyncio.sleep(0)
    return lookup(word)["key"]


@mlflow.trace
async def letters_later(word: str) -> AsyncIterator[str]:
    for letter in word:
        yield await later(letter)


async def all_later(word: str) -> list[str]:
    return [letter async for letter in letters_later(word)]


def test_a_function_is_a_trace_with_inputs_outputs_and_type(tracing: RecordingTracing) -> None:
    lookup("a")
    assert (
        said(tracing, "lookup").items()
        >= {
            "mlflow.spanInputs": '{"key": "a"}',
            "mlflow.spanOutputs": '{"key": "a"}',
            "mlflow.spanType": '"RETRIEVER"',
        }.items()
    )
    assert tracing.events[0].experiment == "offpath"
    assert dict(tracing.traces[0].root.resource.attributes) == {"service.name": "shop"}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (5, {"intValue": "5"}),
        (1.5, {"doubleValue": 1.5}),
        (True, {"boolValue": True}),
        (None, {}),
        ("5", {"stringValue": '"5"'}),
        ("text", {"stringValue": '"text"'}),
        ([1, "a"], {"stringValue": '[1, "a"]'}),
        (2**70, {"stringValue": str(2**70)}),
        (float("nan"), {"stringValue": "NaN"}),
        ("-", {"stringValue": '"-"'}),
    ],
    ids=repr,
)
def test_numbers_that_mlflow_writes_as_text_stay_numbers(
    tracing: RecordingTracing, value: object, sent: dict[str, object]
) -> None:
    with mlflow.start_span("own") as span:
        span.set_outputs(value)
        span.set_attribute("found", value)
    with offpath.traced("outer"):
        active = mlflow.get_current_active_span()
        assert isinstance(active, LiveSpan)
        active.set_outputs(value)
        active.set_attribute("found", value)
    for event in tracing.events:
        [only] = otlp_json.spans_of(event.body).values()
        assert attributes_of(only).items() >= {"mlflow.spanOutputs": sent, "found": sent}.items()


def test_mlflow_names_the_trace_by_the_same_id(tracing: RecordingTracing) -> None:
    lookup("a")
    assert mlflow.get_last_active_trace_id() == f"tr-{tracing.events[0].trace_id}"


@pytest.mark.parametrize(
    ("call", "outermost", "below"),
    [
        (lambda: list(letters("a")), "letters", "lookup"),
        (lambda: asyncio.run(later("a")), "later", "lookup"),
        (lambda: asyncio.run(all_later("a")), "letters_later", "later"),
    ],
    ids=["generator", "async", "async-generator"],
)
def test_each_kind_of_function_is_one_trace(
    tracing: RecordingTracing, call: Callable[[], object], outermost: str, below: str
) -> None:
    call()
    spans = spans_of(tracing)
    assert "parentSpanId" not in spans[outermost]
    assert is_below(spans, below, outermost)


def test_spans_of_both_are_nested_in_each_other(tracing: RecordingTracing) -> None:
    with offpath.traced("one"), mlflow.start_span("two"), offpath.traced("three"), mlflow.start_span("four"):
        list(letters("a"))
    spans = spans_of(tracing)
    assert "parentSpanId" not in spans["one"]
    order = ["one", "two", "three", "four", "letters", "lookup"]
    assert all(is_below(spans, child, parent) for parent, child in pairwise(order))


def test_what_is_said_of_the_trace_is_on_its_root(tracing: RecordingTracing) -> None:
    with offpath.traced("outer", attributes={"mlflow.spanType": "CHAIN"}):
        with mlflow.start_span("inner"):
            mlflow.update_current_trace({"shop": "a"}, {"git": "1f"}, "r-1", session_id="s-1", user="u-1")
        with offpath.traced("later"):
            mlflow.update_current_trace({"later": "b"})
    assert (
        said(tracing, "outer").items()
        >= {
            "mlflow.spanType": "CHAIN",
            "mlflow.traceTag.shop": "a",
            "mlflow.traceTag.later": "b",
            "mlflow.traceTag.git": "1f",
            "mlflow.traceTag.client_request_id": "r-1",
            "mlflow.traceTag.mlflow.traceName": "outer",
            "session.id": "s-1",
            "user.id": "u-1",
        }.items()
    )
    assert "mlflow.spanType" not in said(tracing, "later")


@pytest.mark.parametrize(("state", "code"), [("ERROR", 2), ("OK", 1)])
def test_a_state_that_mlflow_is_told_is_the_traces(tracing: RecordingTracing, state: str, code: int) -> None:
    with mlflow.start_span("own") as span:
        span.set_status("OK" if state == "ERROR" else "ERROR")
        mlflow.update_current_trace(state=state)
    with offpath.traced("outer"):
        mlflow.update_current_trace(state=state)
    for event in tracing.events:
        [only] = otlp_json.spans_of(event.body).values()
        assert only["status"]["code"] == code
        assert "offpath.state" not in attributes_of(only)


def test_feedback_within_a_trace_becomes_tags(tracing: RecordingTracing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # which is not asked
    with offpath.traced("outer"), mlflow.start_span("inner") as span:
        mlflow.log_feedback(trace_id=span.trace_id, name="helpful", value=True)
        mlflow.log_expectation(trace_id=span.trace_id, name="answer", value="two days")
    tags = {"mlflow.traceTag.assessment.helpful": "True", "mlflow.traceTag.assessment.answer": "two days"}
    assert said(tracing, "outer").items() >= tags.items()


def test_mlflow_sets_attributes_of_an_offpath_span(tracing: RecordingTracing) -> None:
    with offpath.traced("outer"):
        active = mlflow.get_current_active_span()
        assert isinstance(active, LiveSpan)
        active.set_attribute("found", 3)
        active.set_outputs(["a"])
    assert said(tracing, "outer").items() >= {"found": "3", "mlflow.spanOutputs": '["a"]'}.items()


def test_the_context_of_mlflow_names_the_session(tracing: RecordingTracing) -> None:
    with mlflow.tracing.context(session_id="s-2", tags={"shop": "b"}):
        lookup("a")
    assert said(tracing, "lookup").items() >= {"session.id": "s-2", "mlflow.traceTag.shop": "b"}.items()


def test_spans_side_by_side_are_one_trace_with_all_tags(tracing: RecordingTracing) -> None:
    @mlflow.trace
    async def step(name: str, turn: asyncio.Event) -> None:
        await turn.wait()
        mlflow.update_current_trace({name: "done"})

    async def steps() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        with offpath.traced("steps"):
            tasks = [asyncio.create_task(step("a", first)), asyncio.create_task(step("b", second))]
            await asyncio.sleep(0)
            first.set()
            await tasks[0]
            second.set()
            await tasks[1]

    asyncio.run(steps())
    assert said(tracing, "steps").items() >= {"mlflow.traceTag.a": "done", "mlflow.traceTag.b": "done"}.items()


def test_an_exception_is_noted_and_raised_on(tracing: RecordingTracing) -> None:
    with pytest.raises(ValueError, match="no such key"), mlflow.start_span("outer"), offpath.traced("inner"):
        raise ValueError("no such key")
    spans = spans_of(tracing)
    assert spans["outer"]["status"] == {"code": 2, "message": "ValueError: no such key"}
    assert [event["name"] for event in spans["outer"]["events"]] == ["exception"]


def test_the_experiment_is_the_one_that_mlflow_names(
    tracing: RecordingTracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "shop")
    lookup("a")
    with offpath.traced("outer", attributes={offpath.attributes.EXPERIMENT: "own"}):
        lookup("b")
    assert [event.experiment for event in tracing.events] == ["shop", "own"]


def test_a_span_after_the_root_belongs_to_its_trace(tracing: RecordingTracing) -> None:
    with mlflow.start_span("root") as root:
        late = mlflow.start_span_no_context("late", parent_span=root)
    late.end()
    first, second = tracing.events
    assert first.trace_id == second.trace_id
    assert list(otlp_json.spans_of(second.body)) == ["late"]


def test_mlflow_forgets_a_trace_that_is_delivered(tracing: RecordingTracing) -> None:
    with mlflow.start_span("root") as root:
        mlflow.start_span_no_context("late", parent_span=root).end()
    traces = InMemoryTraceManager.get_instance()  # type: ignore[no-untyped-call]
    assert traces.get_mlflow_trace_id_from_otel_id(int(tracing.events[0].trace_id, 16)) is None


def test_what_never_ends_takes_bounded_room(tracing: RecordingTracing) -> None:
    theirs = TracerProvider(shutdown_on_exit=False).get_tracer("theirs")
    before = known_to_mlflow()
    for _ in range(MOST_TRACES + 10):
        with offpath.traced("outer"):
            next(letters("ab"))  # and nobody reads on
        with theirs.start_as_current_span("theirs"):
            mlflow.get_current_active_span()
    assert len(known_to_mlflow() - before) <= MOST_TRACES
    lookup("a")
    assert tracing.traces[-1].root.name == "lookup"


def test_spans_stay_captured_after_mlflow_starts_anew(tracing: RecordingTracing) -> None:
    mlflow.tracing.reset()  # type: ignore[no-untyped-call]
    lookup("a")
    mlflow.tracing.disable()
    with offpath.traced("outer"):
        lookup("b")
        with offpath.traced("inner"):
            pass
    mlflow.tracing.enable()
    lookup("c")
    assert [[span.name for span in trace.spans] for trace in tracing.traces] == [
        ["lookup"],
        ["inner", "outer"],
        ["lookup"],
    ]


def test_share_that_mlflow_samples_is_kept_to(tracing: RecordingTracing) -> None:
    mlflow.trace(lookup, sampling_ratio_override=0.0)("a")
    assert tracing.events == []


@pytest.mark.parametrize("theirs", [ALWAYS_OFF, TraceIdRatioBased(0)], ids=["off", "ratio"])
def test_a_foreign_span_that_is_unsampled_loses_no_trace(tracing: RecordingTracing, theirs: Sampler) -> None:
    tracer = TracerProvider(theirs, shutdown_on_exit=False).get_tracer("theirs")
    with tracer.start_as_current_span("theirs"):
        lookup("a")
        list(letters("b"))
    assert [trace.root.name for trace in tracing.traces] == ["lookup", "letters"]


def test_nothing_below_an_unsampled_span_of_mlflow_is_sent(tracing: RecordingTracing) -> None:
    @mlflow.trace(sampling_ratio_override=0.0)
    def outer() -> None:
        left_out = mlflow.get_current_active_span()
        with offpath.traced("inner"):
            lookup("a")
        mlflow.start_span_no_context("later", parent_span=left_out).end()

    outer()
    assert tracing.events == []
    with offpath.traced("after"):
        lookup("a")
    assert len(tracing.traces[0].spans) == 2


def test_a_caller_that_mlflow_left_out_is_not_continued(tracing: RecordingTracing) -> None:
    headers = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}
    with mlflow.tracing.set_tracing_context_from_http_request_headers(headers):
        lookup("a")
    assert tracing.events == []


def test_mlflow_keeps_nothing_of_what_is_untraced(tracing: RecordingTracing) -> None:
    before = known_to_mlflow()
    with untraced(), offpath.traced("outer"):
        lookup("a")
        mlflow.update_current_trace({"shop": "a"})
    assert tracing.events == []
    assert known_to_mlflow() == before


def test_a_disabled_mlflow_leaves_the_current_span(tracing: RecordingTracing) -> None:
    mlflow.tracing.disable()
    with offpath.traced("outer"), mlflow.start_span("none"):
        get_current_span().set_attribute("found", 3)
    mlflow.tracing.enable()
    assert said(tracing, "outer")["found"] == "3"


def test_what_a_processor_of_mlflow_hides_is_not_sent(tracing: RecordingTracing) -> None:
    mlflow.tracing.configure(span_processors=[lambda span: span.set_outputs("hidden")])
    try:
        lookup("a")
    finally:
        mlflow.tracing.configure(span_processors=[])
    assert said(tracing, "lookup")["mlflow.spanOutputs"] == '"hidden"'


def test_spans_of_another_provider_are_between(tracing: RecordingTracing) -> None:
    theirs = TracerProvider(shutdown_on_exit=False).get_tracer("theirs")
    with offpath.traced("outer"), theirs.start_as_current_span("theirs"):
        mlflow.update_current_trace({"shop": "a"})
        lookup("a")
    spans = spans_of(tracing)
    assert is_below(spans, "lookup", "outer")
    assert said(tracing, "outer")["mlflow.traceTag.shop"] == "a"


def test_what_mlflow_would_upload_stays_in_the_span(tracing: RecordingTracing) -> None:
    with mlflow.start_span("draw") as span:
        span.set_outputs({"url": "data:image/png;base64,aGVsbG8="})
    assert "aGVsbG8=" in said(tracing, "draw")["mlflow.spanOutputs"]


def test_shutdown_gives_mlflow_back_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_USE_DEFAULT_TRACER_PROVIDER", "false")
    before = provider._initialize_tracer_provider, provider.mlflow_runtime_context
    tracing = RecordingTracing()
    tracing.capture_mlflow()
    lookup("a")
    tracing.shutdown()
    assert (provider._initialize_tracer_provider, provider.mlflow_runtime_context) == before
    assert os.environ["MLFLOW_USE_DEFAULT_TRACER_PROVIDER"] == "false"
    assert len(tracing.traces) == 1


def test_an_open_span_is_sent_as_the_process_ends(tracing: RecordingTracing) -> None:
    mlflow.start_span_no_context("open", tags={"shop": "a"})
    tracing.shutdown()
    assert said(tracing, "open").items() >= {"offpath.unfinished": True, "mlflow.traceTag.shop": "a"}.items()


def test_a_second_capture_is_refused(tracing: RecordingTracing) -> None:
    with pytest.raises(RuntimeError, match="shut that one down first"):
        RecordingTracing().capture_mlflow()


def test_an_older_mlflow_is_refused() -> None:
    check_version("3.17.0rc1")
    with pytest.raises(ImportError, match=r"mlflow 3\.9\.1 is too old: its spans can be captured from 3\.17 on"):
        check_version("3.9.1")
