"""What never ends is not kept without bound, and what ends after all is whole."""

import gc
import logging
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, Span

from offpath.testing import RecordingTracing
from offpath.tracing._collector import MOST_HELD, MOST_OPEN_SPANS
from offpath.tracing._light_span import LightSpan
from offpath.tracing._open_requests import MOST_OPEN
from tests.support.otlp_json import attributes_of, spans_of


@pytest.fixture(params=["light", "sdk"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tracer_of(tracing: RecordingTracing, kind: str) -> trace.Tracer:
    return tracing.tracer("x") if kind == "light" else tracing.provider.get_tracer("x")


def below(span: Span) -> Any:
    return trace.set_span_in_context(span)


def kept(tracing: RecordingTracing) -> int:
    """Return how many spans, parts and traces the collector keeps, at most, in one of its tables."""
    collector: Any = tracing.collector
    return max(len(value) for value in vars(collector).values() if hasattr(value, "__len__"))


def test_roots_that_never_end_are_bounded(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    tracing = RecordingTracing()
    tracer = tracer_of(tracing, kind)
    leaked = [tracer.start_span(f"leaked {number}") for number in range(MOST_OPEN + 100)]
    tracer.start_span("child", below(leaked[-1])).end()
    assert kept(tracing) <= (MOST_OPEN if kind == "light" else MOST_OPEN_SPANS)
    assert [ended.head.name for ended in tracing.worker.ended] == [f"leaked {number}" for number in range(100)]
    warned = [record.getMessage().split(" ")[0] for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == ["1", "10", "100"]


def test_a_root_once_given_up_is_whole_when_it_ends(kind: str) -> None:
    tracing = RecordingTracing()
    tracer = tracer_of(tracing, kind)
    root = tracer.start_span("root", attributes={"offpath.experiment": "own"})
    tracer.start_span("early", below(root), attributes={"session.id": "s", "mlflow.traceTag.team": "a"}).end()
    others = [tracer.start_span("leaked") for _ in range(MOST_OPEN)]
    tracer.start_span("late", below(root)).end()
    root.end()
    trace_id = trace.format_trace_id(root.get_span_context().trace_id)
    events = [event for event in tracing.events if event.trace_id == trace_id]
    so_far, late, whole = [spans_of(event.body) for event in events]
    assert {event.experiment for event in events} == {"own"}
    assert so_far["root"]["status"]["message"].startswith("the span has not ended")
    assert list(late) == ["late"]
    assert "message" not in whole["root"].get("status", {})
    for spans in (so_far, whole):
        assert attributes_of(spans["root"])["session.id"] == {"stringValue": "s"}
        assert attributes_of(spans["root"])["mlflow.traceTag.team"] == {"stringValue": "a"}
    del others


def test_spans_below_an_open_one_leave_before_they_are_many(kind: str) -> None:
    tracing = RecordingTracing()
    tracer = tracer_of(tracing, kind)
    root = tracer.start_span("root")
    context = below(root)
    tracer.start_span("first", context, attributes={"mlflow.traceTag.team": "a"}).end()
    for _ in range(2 * MOST_HELD):
        tracer.start_span("step", context).end()
    sizes = [len(ended.spans) for ended in tracing.worker.ended]
    assert sizes == [MOST_HELD, MOST_HELD]
    root.end()
    whole = tracing.traces[-1]
    assert whole.root.name == "root"
    assert sorted(span.name for span in whole.spans) == ["first", "root", "step"]
    assert attributes_of(spans_of(whole.event.body)["root"])["mlflow.traceTag.team"] == {"stringValue": "a"}
    ids = {span.get_span_context().span_id for ended in tracing.worker.ended for span in ended.spans}  # type: ignore[union-attr]
    assert len(ids) == 2 * MOST_HELD + 2


def test_spans_below_others_of_another_provider_are_bounded() -> None:
    tracing = RecordingTracing()
    tracer, theirs = tracing.tracer("x"), TracerProvider(shutdown_on_exit=False).get_tracer("theirs")
    with tracer.start_as_current_span("root") as root:
        for _ in range(2 * MOST_HELD):
            with theirs.start_as_current_span("their tool"), tracer.start_as_current_span("step"):
                pass
        assert isinstance(root, LightSpan)
        assert not root.part.adopted
    assert all(
        (span.parent if (at := span.get_span_context()) is None else ended.adopted.get(at.span_id, span.parent))
        == root.get_span_context()
        for ended in tracing.worker.ended
        for span in ended.spans
        if span.name == "step"
    )


def test_inner_spans_that_never_end_are_bounded() -> None:
    tracing = RecordingTracing()
    theirs = tracing.provider.get_tracer("x")
    for number in range(60):
        with theirs.start_as_current_span(f"request {number}"):
            leaked = [theirs.start_span("leaked") for _ in range(1_000)]
        del leaked
    assert kept(tracing) <= MOST_OPEN_SPANS
    assert [ended.head.name for ended in tracing.worker.ended] == [f"request {number}" for number in range(60)]


def test_a_root_told_so_far_is_whole_when_it_ends(kind: str) -> None:
    tracing = RecordingTracing()
    tracer = tracer_of(tracing, kind)
    with tracer.start_as_current_span("lambda", kind=trace.SpanKind.SERVER):
        with tracer.start_as_current_span("predict") as predict:
            predict.set_attributes({"mlflow.spanInputs": "in", "mlflow.traceTag.model": "iris", "user.id": "u"})
        [so_far] = tracing.collector.unfinished("the time-out")
        tracer.start_span("step").end()
    expected = {"mlflow.spanInputs": "in", "mlflow.traceTag.model": "iris", "user.id": "u"}
    found = attributes_of(spans_of(tracing.events[0].body)["lambda"])
    assert {key: found[key]["stringValue"] for key in expected} == expected
    assert so_far.is_root


def test_a_span_that_ends_in_a_finalizer_loses_nothing() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("x")

    class Cyclic:
        def __init__(self) -> None:
            self.itself, self.span = self, tracer.start_span("finalized")

        def __del__(self) -> None:
            self.span.end()

    threshold = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for _ in range(300):
            Cyclic()
            tracer.start_span("child of a known one", below(NonRecordingSpan(tracer_root(tracing)))).end()
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    names = [ended.head.name for ended in tracing.worker.ended]
    assert names.count("finalized") == 300
    assert names.count("child of a known one") == 300
    assert sorted(ended.number.sequence for ended in tracing.worker.ended) == list(range(1, len(names) + 1))


def tracer_root(tracing: RecordingTracing) -> trace.SpanContext:
    """Return the context of a root that has ended."""
    root = tracing.tracer("x").start_span("root")
    root.end()
    return root.get_span_context()
