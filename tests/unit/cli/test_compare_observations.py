"""Test the observations that a comparison reads from spans."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from offpath.testing import RecordingTracing
from offpath_cli.compare.archive import _spans
from offpath_cli.compare.observation import Observation, observations
from offpath_cli.compare.span import Span

MS = 1_000_000


def span(name: str, span_id: str = "1", parent: str = "", ms: float = 1, **attributes: Any) -> Span:
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return Span("t", span_id, parent, name, 0, int(ms * MS), named.pop("failed", False), named)


def root(**more: Any) -> Span:
    tags = {
        "mlflow__traceTag__model": "iris",
        "mlflow__traceTag__model_version": "3",
        "mlflow__traceTag__alias": "champion",
        "mlflow__spanOutputs": '[{"label": "setosa", "class_index": 0}]',
    }
    return span("POST /models/{name}/predict", ms=5, **(tags | more))


def test_an_answer_has_the_times_of_request_and_model() -> None:
    spans = [
        span("validate", "2", "1", 0.5),
        span("iris", "3", "1", 1.5, offpath__model="iris"),
        root(),
        span("validate", "9", "8", 100),
    ]
    assert list(observations(spans, "iris")) == [
        Observation(
            "3",
            "champion",
            is_shadow=False,
            failed=False,
            request_ms=5.0,
            model_ms=2.0,
            predicted=["setosa"],
            records=1,
        )
    ]


def test_a_shadow_stands_for_itself() -> None:
    shadow = span(
        "iris shadow", "4", "1", 2, offpath__shadow=True, offpath__model="iris", offpath__model_version="4",
        offpath__alias="next", mlflow__spanOutputs='[{"value": 2.5}]', offpath__shadow__agreement=0.5,
        offpath__shadow__difference=0.25,
    )  # fmt: skip
    assert list(observations([shadow], "iris")) == [
        Observation("4", "next", True, False, None, 2.0, [2.5], 1, agreement=0.5, difference=0.25)
    ]


def test_a_shadows_own_trace_is_no_answer() -> None:
    shadow = root(offpath__shadow=True, offpath__model="iris", offpath__model_version="4", offpath__alias="next")
    [seen] = observations([shadow], "iris")
    assert (seen.version, seen.alias, seen.is_shadow) == ("4", "next", True)
    assert list(observations([shadow], "abalone")) == []


def test_a_request_without_a_version_is_nobodys() -> None:
    unselected = span(
        "POST /models/{name}/predict", mlflow__traceTag__model="iris", mlflow__traceTag__outcome="refused"
    )
    assert list(observations([unselected], "iris")) == []


@pytest.mark.parametrize(
    "mark", [{"failed": True}, {"mlflow__traceTag__outcome": "refused"}, {"mlflow__traceTag__outcome": "failed"}]
)
def test_a_refused_request_is_an_error_that_says_nothing(mark: dict[str, Any]) -> None:
    refused = root(mlflow__spanOutputs='{"status": 422}', **mark)
    [seen] = observations([refused, span("validate", "2", "1")], "iris")
    assert (seen.failed, seen.predicted, seen.records, seen.model_ms) == (True, [], 0, None)


def test_other_models_and_other_spans_are_passed_over() -> None:
    assert list(observations([span("anything"), root(mlflow__traceTag__model="abalone")], "iris")) == []


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ('[{"label": "a"}, {"label": "b"}]', ["a", "b"]),
        ('[{"value": 1}, {"value": 2.5}]', [1.0, 2.5]),
        ('["a", null, "b"]', ["a", "b"]),
        ('[{"variable": 4.5}]', [4.5]),
        ('[{"one": 1, "two": 2}]', []),
        ('{"output": [[1]]}', []),
        ("[[1, 2]]", []),
        ("[true]", []),
        ("no JSON", []),
        ([{"label": "a"}], ["a"]),
        (None, []),
    ],
)
def test_predictions_of_both_routes_are_read(outputs: Any, said: list[Any]) -> None:
    [seen] = observations([root(mlflow__spanOutputs=outputs)], "iris")
    assert seen.predicted == said


def test_several_values_a_record_are_counted_but_not_compared() -> None:
    [seen] = observations([root(mlflow__spanOutputs='[{"value": [1, 2]}, {"value": [3, 4]}]')], "iris")
    assert (seen.predicted, seen.records) == ([], 2)


def test_what_the_api_writes_is_read() -> None:
    outputs = json.dumps([{"label": "setosa", "class_index": 0, "probabilities": {"setosa": 1.0}}])
    [seen] = observations([root(mlflow__spanOutputs=outputs)], "iris")
    assert seen.predicted == ["setosa"]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [({"label": "good", "score": 0.9}, ["good"]), ("good", ["good"]), (0.5, [0.5]), (7, [7.0]), ([0.5, 1], [0.5, 1.0])],
)
@pytest.mark.parametrize("within", [False, True], ids=["alone", "within-a-request"])
def test_a_prediction_of_the_sdk_is_one_observation(outputs: Any, said: list[Any], within: bool) -> None:
    tracing = RecordingTracing()
    with tracing.tracer("web").start_as_current_span("POST /", kind=SpanKind.SERVER) if within else nullcontext():
        tracing.prediction("fraud", "3", inputs={"amount": 7}, outputs=outputs)
    spans = list(_spans(json.loads(tracing.events[0].body)))
    [seen] = observations(spans, "fraud")
    assert (seen.version, seen.predicted, seen.records) == ("3", said, len(said))
    assert seen.model_ms is not None
