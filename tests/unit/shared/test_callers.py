"""By default a caller's trace is linked to; it is continued, in its experiment, only if the settings say so."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer, TraceState

from offpath.contracts.errors import SettingsError
from offpath.testing import RecordingTracing
from offpath.tracing import TracingSettings
from offpath.tracing._experiment_state import experiment_in, state_of
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from tests.support.otlp_json import attributes_of, spans_of

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "vendor=1,offpath=shop%2Firis%2C1"}


def predict(tracing: RecordingTracing, headers: dict[str, str], experiment: str = "own") -> None:
    caller = tracing.read_caller(headers)
    given = {"offpath.experiment": experiment, **caller.attributes}
    with tracing.tracer("x").start_as_current_span("predict", caller.context, attributes=given, links=caller.links):
        pass


def test_a_trace_of_its_own_links_to_the_callers() -> None:
    tracing = RecordingTracing()
    predict(tracing, HEADERS)
    [event] = tracing.events
    span = spans_of(event.body)["predict"]
    assert event.trace_id != TRACE_ID
    assert (span["links"][0]["traceId"], span["links"][0]["spanId"]) == (TRACE_ID, SPAN_ID)
    assert attributes_of(span)["mlflow.traceTag.caller_trace_id"] == {"stringValue": TRACE_ID}
    assert event.experiment == "own"


@pytest.mark.parametrize("headers", [{}, {"traceparent": "rubbish"}, {"traceparent": f"00-{'0' * 32}-{SPAN_ID}-01"}])
def test_no_usable_traceparent_is_no_caller(headers: dict[str, str]) -> None:
    tracing = RecordingTracing()
    predict(tracing, headers)
    span = spans_of(tracing.events[0].body)["predict"]
    assert "links" not in span
    assert "mlflow.traceTag.caller_trace_id" not in attributes_of(span)


def test_a_caller_can_be_ignored() -> None:
    tracing = RecordingTracing(choices=TracingChoices(traceparent="ignore"))
    predict(tracing, HEADERS)
    assert "links" not in spans_of(tracing.events[0].body)["predict"]


@pytest.mark.parametrize(
    ("state", "experiment"),
    [(HEADERS["tracestate"], "shop/iris,1"), ("vendor=1", "offpath"), ("", "offpath"), ("offpath=%ED%A0%80", "���")],
)
def test_a_continued_trace_lies_in_its_callers_experiment(state: str, experiment: str) -> None:
    tracing = RecordingTracing(choices=TracingChoices(traceparent="continue"))
    predict(tracing, {**HEADERS, "tracestate": state})
    [event] = tracing.events
    assert (event.trace_id, event.experiment) == (TRACE_ID, experiment)
    assert attributes_of(spans_of(event.body)["predict"])["offpath.experiment"] == {"stringValue": experiment}


def test_a_stranger_cannot_choose_the_experiment() -> None:
    tracing = RecordingTracing()
    predict(tracing, HEADERS)
    assert tracing.events[0].experiment == "own"


def tracers(tracing: RecordingTracing) -> Iterator[Tracer]:
    yield tracing.tracer("x")
    yield tracing.provider.get_tracer("x")


@pytest.mark.parametrize(("given", "told"), [({"offpath.experiment": "a b,c"}, "a b,c"), ({}, "offpath")])
def test_two_services_of_one_trace_lie_in_one_experiment(given: dict[str, str], told: str) -> None:
    choices = TracingChoices(traceparent="continue")
    for caller, callee in ((RecordingTracing(choices=choices), RecordingTracing(choices=choices)),) * 2:
        for tracer in tracers(caller):
            headers: dict[str, str] = {}
            with tracer.start_as_current_span("root", attributes=given), tracer.start_as_current_span("call"):
                inject(headers)
            predict(callee, headers)
            assert caller.events[-1].experiment == callee.events[-1].experiment == told
            assert caller.events[-1].trace_id == callee.events[-1].trace_id


def test_an_experiment_is_told_to_nobody_by_default() -> None:
    headers: dict[str, str] = {}
    with RecordingTracing().tracer("x").start_as_current_span("root", attributes={"offpath.experiment": "secret"}):
        inject(headers)
    assert "tracestate" not in headers


@pytest.mark.parametrize("name", ["offpath", "a/b", "ä b", "=,;", "\ud800", "x" * 300])
def test_any_experiments_name_makes_a_valid_state(name: str) -> None:
    state = state_of({"offpath.experiment": name}, "default")
    assert TraceState.from_header([state.to_header()]).to_header() == state.to_header()
    if len(name) < 80 and name.isprintable():
        assert experiment_in(state) == name


def test_a_span_of_a_given_provider_continues_its_trace() -> None:
    tracing = RecordingTracing(provider=TracerProvider(shutdown_on_exit=False))
    with tracing.provider.get_tracer("theirs").start_as_current_span("handler"):
        predict(tracing, {})
    assert len(tracing.events) == 2, "a request's own span begins a trace of its own"
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize(
    ("text", "iris", "other", "none"),
    [
        ("on", True, True, True),
        ("off", False, False, False),
        ("iris=off", False, True, True),
        (" off , iris = on ", True, False, False),
    ],
)
def test_models_are_chosen_by_words(text: str, iris: bool, other: bool, none: bool) -> None:
    models = TracedModels.parse(text)
    assert (models.includes("iris"), models.includes("other"), models.includes(None)) == (iris, other, none)


@pytest.mark.parametrize("text", ["yes", "iris", "iris=", "=on", "iris=yes", "on=off=maybe"])
def test_other_words_are_refused_with_the_setting(text: str) -> None:
    given = {"OFFPATH_QUEUE_URL": "https://sqs/q", "OFFPATH_BUCKET": "archive", "OFFPATH_TRACING": text}
    with pytest.raises(SettingsError, match="OFFPATH_TRACING="):
        TracingSettings.load(given)


def test_a_fifo_queue_is_refused_at_the_start() -> None:
    given = {"OFFPATH_QUEUE_URL": "https://sqs/traces.fifo", "OFFPATH_BUCKET": "archive"}
    with pytest.raises(SettingsError, match="a FIFO queue takes no trace events"):
        TracingSettings.load(given)
