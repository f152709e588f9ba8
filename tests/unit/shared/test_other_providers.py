"""Beside another provider's spans, each request is one message whose outermost span is its trace's root."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, Tracer

import offpath
from offpath.testing import RecordingTracing
from offpath.tracing._context import sending
from offpath.tracing._otlp import Unnamed
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from tests.support import otlp_json
from tests.support.otlp_json import attributes_of

SAMPLERS: dict[str, Sampler] = {
    "on": ALWAYS_ON,
    "off": ALWAYS_OFF,
    "ratio": TraceIdRatioBased(0.5),
    "parent": ParentBased(ALWAYS_OFF),
}


@pytest.fixture
def tracing() -> Iterator[RecordingTracing]:
    with RecordingTracing() as recording:
        yield recording


@pytest.fixture(params=SAMPLERS)
def theirs(request: pytest.FixtureRequest) -> Tracer:
    """A tracer of another provider."""
    return TracerProvider(sampler=SAMPLERS[request.param], shutdown_on_exit=False).get_tracer("theirs")


def spans_of(tracing: RecordingTracing) -> list[dict[str, dict[str, Any]]]:
    """Return each event's spans, by name."""
    return [otlp_json.spans_of(event.body) for event in tracing.events]


def is_root(span: dict[str, Any]) -> bool:
    """Return whether the writer makes the span its trace's root."""
    return "parentSpanId" not in span or span["flags"] & 0x300 == 0x300


def predict(tracer: Tracer) -> None:
    with tracer.start_as_current_span("predict") as span:
        span.set_attribute("offpath.experiment", "own")
        with tracer.start_as_current_span("features"):
            pass


def test_the_outermost_span_is_the_root(tracing: RecordingTracing, theirs: Tracer) -> None:
    with theirs.start_as_current_span("handler") as handler:
        predict(tracing.tracer("x"))
    [spans] = spans_of(tracing)
    assert is_root(spans["predict"])
    assert spans["features"]["parentSpanId"] == spans["predict"]["spanId"]
    assert tracing.events[0].experiment == "own"
    assert int(tracing.events[0].trace_id, 16) == handler.get_span_context().trace_id


def test_each_prediction_under_one_span_is_a_message(tracing: RecordingTracing, theirs: Tracer) -> None:
    with theirs.start_as_current_span("handler"):
        for _ in range(2):
            predict(tracing.tracer("x"))
    assert [sorted(spans) for spans in spans_of(tracing)] == [["features", "predict"]] * 2
    first, second = [spans["predict"] for spans in spans_of(tracing)]
    assert is_root(first)
    assert second["parentSpanId"] == first["spanId"]
    assert not is_root(second)


def test_predictions_at_once_under_one_span_stay_apart(tracing: RecordingTracing, theirs: Tracer) -> None:
    tracer = tracing.tracer("x")
    with theirs.start_as_current_span("handler"):
        first, second = tracer.start_span("first"), tracer.start_span("second")
        first.end()
        second.end()
    assert [list(spans) for spans in spans_of(tracing)] == [["first"], ["second"]]


def test_a_span_below_anothers_span_hangs_on_offpaths_own(tracing: RecordingTracing, theirs: Tracer) -> None:
    tracer = tracing.tracer("x")
    with (
        theirs.start_as_current_span("handler"),
        tracer.start_as_current_span("predict"),
        tracer.start_as_current_span("chain"),
        theirs.start_as_current_span("their tool"),
        tracer.start_as_current_span("tool"),
    ):
        pass
    [spans] = spans_of(tracing)
    assert spans["tool"]["parentSpanId"] == spans["chain"]["spanId"]
    assert is_root(spans["predict"])


def test_traced_functions_below_anothers_span_are_one_trace(tracing: RecordingTracing, theirs: Tracer) -> None:
    @offpath.traced
    def steps() -> Iterator[int]:
        with theirs.start_as_current_span("theirs"), offpath.traced("step"):
            yield 1

    @offpath.traced
    def predict() -> list[int]:
        return list(steps())

    with theirs.start_as_current_span("handler"):
        predict()
    [spans] = spans_of(tracing)
    assert spans["step"]["parentSpanId"] == spans["steps"]["spanId"]


class DropsMiddle(Sampler):
    """Leaves one span of a trace out, as a rule by name does."""

    def should_sample(self, *args: Any, **kwargs: Any) -> Any:
        name = kwargs.get("name", args[2] if len(args) > 2 else "")
        return (ALWAYS_OFF if name == "middle" else ALWAYS_ON).should_sample(*args, **kwargs)

    def get_description(self) -> str:
        return "DropsMiddle"


def test_a_span_below_an_unsampled_one_stays_in_its_trace() -> None:
    tracing = RecordingTracing(provider=TracerProvider(sampler=DropsMiddle(), shutdown_on_exit=False))
    theirs = tracing.provider.get_tracer("theirs")
    with (
        theirs.start_as_current_span("root"),
        theirs.start_as_current_span("middle"),
        theirs.start_as_current_span("inner"),
        tracing.tracer("x").start_as_current_span("own"),
    ):
        pass
    [spans] = spans_of(tracing)
    assert spans["inner"]["parentSpanId"] == spans["root"]["spanId"]
    assert spans["own"]["parentSpanId"] == spans["inner"]["spanId"]


@pytest.mark.parametrize("kind", ["light", "sdk"])
def test_late_spans_carry_the_experiment_of_their_trace(tracing: RecordingTracing, kind: str) -> None:
    tracer = tracing.tracer("x") if kind == "light" else tracing.provider.get_tracer("x")
    with tracer.start_as_current_span("root", attributes={"offpath.experiment": "own"}) as root:
        late = tracer.start_span("late")
    late.end()
    after = trace.set_span_in_context(NonRecordingSpan(root.get_span_context()))
    with tracer.start_as_current_span("after", after), tracer.start_as_current_span("below"):
        pass
    assert [event.experiment for event in tracing.events] == ["own"] * 3
    assert [list(spans) for spans in spans_of(tracing)] == [["root"], ["late"], ["below", "after"]]
    assert not is_root(spans_of(tracing)[2]["after"])


def test_an_experiment_that_an_inner_span_names_is_the_traces(tracing: RecordingTracing) -> None:
    tracer = tracing.tracer("x")
    with tracer.start_as_current_span("root"), tracer.start_as_current_span("predict") as span:
        span.set_attribute("offpath.experiment", "own")
    assert tracing.events[0].experiment == "own"
    assert attributes_of(spans_of(tracing)[0]["root"])["offpath.experiment"] == {"stringValue": "own"}


@contextmanager
def instrumented(tracer: Tracer) -> Iterator[None]:
    """An instrumentation that does not ask whether it is suppressed."""
    with tracer.start_as_current_span("send"), tracer.start_as_current_span("inner"):
        yield


@pytest.mark.parametrize("kind", ["light", "sdk"])
def test_spans_of_a_send_go_nowhere(tracing: RecordingTracing, kind: str) -> None:
    tracer = tracing.tracer("x") if kind == "light" else tracing.provider.get_tracer("x")
    with tracer.start_as_current_span("root"), sending(), instrumented(tracer):
        pass
    assert [list(spans) for spans in spans_of(tracing)] == [["root"]]


def test_a_request_without_an_end_is_told_so_far(tracing: RecordingTracing) -> None:
    tracer = tracing.tracer("x")
    with tracer.start_as_current_span("root", attributes={"offpath.experiment": "own"}):
        tracer.start_span("step").end()
        [so_far] = tracing.collector.unfinished("the invocation reached its time-out")
        assert [span.name for span in so_far.spans] == ["step", "root"]
        assert so_far.head.status.description == "the invocation reached its time-out"
        assert so_far.experiment == "own"
        assert tracing.collector.newest_request() == 1
    assert [list(spans) for spans in spans_of(tracing)] == [["root"]]
    assert tracing.collector.newest_request() == 0


def predict_in(tracer: Tracer, experiment: str) -> None:
    tracer.start_span("predict", attributes={"offpath.experiment": experiment}).end()


def test_one_trace_stays_in_one_experiment(tracing: RecordingTracing, theirs: Tracer) -> None:
    with theirs.start_as_current_span("handler"):
        for experiment in ("first", "second"):
            predict_in(tracing.tracer("x"), experiment)
    assert [event.experiment for event in tracing.events] == ["first", "first"]
    assert [is_root(spans["predict"]) for spans in spans_of(tracing)] == [True, False]


@pytest.mark.parametrize("models", [("first", "second"), (None, "second"), ("first", None)], ids=str)
def test_calls_of_one_caller_lie_in_one_experiment(tracing: RecordingTracing, models: tuple[str | None, ...]) -> None:
    caller = trace.set_span_in_context(NonRecordingSpan(remote()))
    for model in models:
        named = {"offpath.experiment": model} if model else {}
        tracing.tracer("x").start_span("predict", caller, attributes=named).end()
    assert [event.experiment for event in tracing.events] == [models[0] or "offpath"] * 2


def test_the_first_of_several_at_once_decides_the_experiment(tracing: RecordingTracing, theirs: Tracer) -> None:
    tracer = tracing.tracer("x")
    with theirs.start_as_current_span("handler"):
        slow = tracer.start_span("slow", attributes={"offpath.experiment": "slow"})
        with tracer.start_as_current_span("quick", attributes={"offpath.experiment": "quick"}) as quick:
            tracer.start_span("step").end()
        tracer.start_span("step of slow", trace.set_span_in_context(slow)).end()
        slow.end()
    assert [event.experiment for event in tracing.events] == ["quick", "quick"]
    first, second = spans_of(tracing)
    assert is_root(first["quick"])
    assert not is_root(second["slow"])
    assert second["slow"]["parentSpanId"] == trace.format_span_id(quick.get_span_context().span_id)
    assert second["step of slow"]["parentSpanId"] == second["slow"]["spanId"]


def test_a_late_span_below_anothers_span_splits_no_trace(tracing: RecordingTracing, theirs: Tracer) -> None:
    tracer = tracing.tracer("x")
    with theirs.start_as_current_span("handler"):
        with tracer.start_as_current_span("predict", attributes={"offpath.experiment": "own"}) as predict:
            around = theirs.start_span("their tool")
        with trace.use_span(around):
            tracer.start_span("late", attributes={"offpath.experiment": "another"}).end()
    assert [event.experiment for event in tracing.events] == ["own", "own"]
    late = spans_of(tracing)[1]["late"]
    assert not is_root(late)
    assert late["parentSpanId"] == trace.format_span_id(predict.get_span_context().span_id)


@pytest.mark.parametrize("offs", [("iris", "fraud"), ("fraud", "iris")], ids=str)
def test_a_trace_that_is_not_wanted_is_nobodys_root(theirs: Tracer, offs: tuple[str, str]) -> None:
    choices = TracingChoices(models=TracedModels(named={"iris": False}))
    with RecordingTracing(choices=choices) as tracing, theirs.start_as_current_span("handler"):
        for model in offs:
            tracer = tracing.tracer("x")
            with tracer.start_as_current_span(model, attributes={"mlflow.traceTag.model": model}) as span:
                span.set_attribute("offpath.experiment", model)
                late = tracer.start_span("late")
            late.end()
    assert [list(spans) for spans in spans_of(tracing)] == [["fraud"], ["late"]]
    assert [event.experiment for event in tracing.events] == ["fraud", "fraud"]
    assert is_root(spans_of(tracing)[0]["fraud"])


def test_a_providers_own_ids_are_those_of_its_spans() -> None:
    class Counting(IdGenerator):
        def __init__(self) -> None:
            self._numbers = itertools.count(1)

        def generate_span_id(self) -> int:
            return next(self._numbers)

        def generate_trace_id(self) -> int:
            return 0x6543_0000 + next(self._numbers)

    tracing = RecordingTracing(provider=TracerProvider(id_generator=Counting(), shutdown_on_exit=False))
    tracer = tracing.tracer("x")
    with tracer.start_as_current_span("root"):
        tracer.start_span("step").end()
        tracer.start_span("step").end()
    [recorded] = tracing.traces
    ids = [context.span_id for span in recorded.spans if (context := span.get_span_context())]
    assert sorted([*ids, int(recorded.event.trace_id, 16) - 0x6543_0000]) == [1, 2, 3, 4]


def test_two_tracings_of_one_process_do_not_mix(tracing: RecordingTracing) -> None:
    other = RecordingTracing()
    with tracing.tracer("x").start_as_current_span("predict"), other.tracer("y").start_as_current_span("other"):
        pass
    assert [list(spans) for spans in spans_of(tracing)] == [["predict"]]
    assert [list(spans) for spans in spans_of(other)] == [["other"]]
    assert is_root(spans_of(other)[0]["other"])


def test_no_two_events_of_one_request_have_a_number() -> None:
    tracing = RecordingTracing()
    with tracing.tracer("x").start_as_current_span("root"):
        [so_far] = tracing.collector.unfinished("why")
    assert [so_far.number.sequence, tracing.worker.ended[0].number.sequence] == [1, 2]


def test_an_experiment_that_comes_too_late_splits_no_trace(tracing: RecordingTracing) -> None:
    tracer = tracing.tracer("x")
    with tracer.start_as_current_span("root"):
        late = tracer.start_span("late", attributes={"offpath.experiment": "other"})
    late.end()
    with tracer.start_as_current_span("root") as root:
        [so_far] = tracing.collector.unfinished("why")
        root.set_attribute("offpath.experiment", "other")
    assert so_far.experiment is Unnamed.DEFAULT
    assert [event.experiment for event in tracing.events] == ["offpath"] * 3


def remote(trace_id: int = 0xABC) -> SpanContext:
    return SpanContext(trace_id, 0xDEF, is_remote=True)


def test_nothing_is_remembered_without_bound() -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("x")
    for number in range(1, 20_000):
        tracer.start_span("root", trace.set_span_in_context(NonRecordingSpan(remote(number)))).end()
    collector: Any = tracing.collector
    sizes = {name: len(value) for name, value in vars(collector).items() if hasattr(value, "__len__")}
    assert max(sizes.values()) <= 10_000
