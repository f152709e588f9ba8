"""A team's own prediction is traced in the form of the API's."""

import json
from enum import Enum
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

import offpath
from offpath.testing import RecordingTracing
from offpath.tracing._settings import TracedModels
from offpath.tracing._tracing import TracingChoices
from tests.support.otlp_json import attributes_of, spans_of


class Colour(Enum):
    RED = "red"


def test_a_prediction_is_a_trace_of_its_model() -> None:
    tracing = RecordingTracing()
    with tracing.prediction("fraud", "3", inputs={"amount": 7}, alias="champion") as prediction:
        prediction.outputs = [{"label": "good", "value": 0.9}]
    [recorded] = tracing.traces
    assert recorded.event.experiment == "offpath/fraud"
    assert prediction.trace_id == recorded.event.mlflow_trace_id
    model, root = recorded.spans
    assert dict(root.attributes or {}) == {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "fraud",
        "offpath.experiment": "offpath/fraud",
        "mlflow.traceTag.model": "fraud",
        "mlflow.traceTag.model_version": "3",
        "mlflow.traceTag.alias": "champion",
        "mlflow.traceTag.prediction": "good",
        "mlflow.spanInputs": '{"amount": 7}',
        "mlflow.spanOutputs": '[{"label": "good", "value": 0.9}]',
    }
    assert dict(model.attributes or {}) == {
        "mlflow.spanType": "TASK",
        "offpath.model": "fraud",
        "offpath.model_version": "3",
        "offpath.alias": "champion",
    }


def test_a_prediction_with_its_outputs_is_traced_at_once() -> None:
    tracing = RecordingTracing()
    made = tracing.prediction("fraud", "3", {"amount": 7}, False)
    assert made.trace_id == tracing.events[0].mlflow_trace_id
    assert tracing.spans()["fraud"]["mlflow.spanOutputs"] == "false"


@pytest.mark.parametrize(
    ("outputs", "sent"),
    [
        (0.5, {"doubleValue": 0.5}),
        (7, {"intValue": "7"}),
        (False, {"boolValue": False}),
        ("7", {"stringValue": '"7"'}),
        ([7], {"stringValue": "[7]"}),
    ],
)
def test_a_number_is_no_text_in_mlflow(outputs: Any, sent: dict[str, Any]) -> None:
    tracing = RecordingTracing()
    with tracing, offpath.traced("outer"):
        offpath.traced(capture_outputs=True)(lambda: outputs)()
        tracing.prediction("fraud", "3", outputs, outputs)
    spans = spans_of(tracing.events[0].body)
    assert attributes_of(spans["fraud"]).get("mlflow.spanOutputs") == sent
    assert attributes_of(spans["<lambda>"])["mlflow.spanOutputs"] == sent


@pytest.mark.parametrize(
    ("outputs", "shown"),
    [
        (np.array([0.5, 1.5]), "[0.5, 1.5]"),
        (np.array([[1], [2]]), "[[1], [2]]"),
        ([np.float32(0.5), np.int64(3)], "[0.5, 3]"),
        ({"label": np.array(["good"])}, '{"label": ["good"]}'),
        ({"kind": HTTPStatus.OK, "colour": Colour.RED}, '{"kind": 200, "colour": "red"}'),
        (np.zeros(20_000), repr(np.zeros(20_000))),
    ],
)
def test_numpys_values_and_enums_are_shown_as_plain_ones(outputs: Any, shown: str) -> None:
    tracing = RecordingTracing()
    tracing.prediction("fraud", "3", outputs, outputs)
    assert tracing.spans()["fraud"]["mlflow.spanOutputs"] in (shown, json.dumps(shown))


@pytest.mark.parametrize(
    ("outputs", "label"),
    [
        ("spam", "spam"),
        (["spam"], "spam"),
        ([{"label": "spam"}], "spam"),
        ({"label": "spam"}, "spam"),
        (np.array(["spam"]), "spam"),
        ({"label": np.array("spam")}, "spam"),
        (Colour.RED, "red"),
        (np.array(["spam", "ham"]), None),
        (["spam", "ham"], None),
        ([0.5], None),
        ([], None),
        (None, None),
    ],
)
def test_a_single_label_is_a_tag_of_the_trace(outputs: Any, label: str | None) -> None:
    tracing = RecordingTracing()
    tracing.prediction("fraud", "3", {}, outputs)
    assert (tracing.traces[0].root.attributes or {}).get("mlflow.traceTag.prediction") == label


def test_a_prediction_that_fails_has_its_outcome() -> None:
    tracing = RecordingTracing()
    with pytest.raises(ValueError, match="wrong"), tracing.prediction("fraud", "3", inputs={}):
        raise ValueError("wrong")
    root = tracing.traces[0].root
    assert root.status.description == "ValueError: wrong"
    assert (root.attributes or {})["mlflow.traceTag.outcome"] == "failed"


def test_a_prediction_within_a_trace_names_that_trace() -> None:
    tracing = RecordingTracing()
    with tracing.tracer("x").start_as_current_span("handler"):
        made = tracing.prediction("fraud", "3", {"amount": 7}, "good")
    [event] = tracing.events
    assert event.experiment == "offpath/fraud"
    assert made.trace_id == event.mlflow_trace_id
    assert '{"key":"mlflow.traceTag.model","value":{"stringValue":"fraud"}}' in event.body.split('"name":"handler"')[1]


def test_a_model_can_be_left_untraced() -> None:
    tracing = RecordingTracing(choices=TracingChoices(models=TracedModels.parse("fraud=off")))
    with tracing.prediction("fraud", "3", inputs={}) as prediction:
        prediction.outputs = "good"
    assert prediction.trace_id is None
    tracing.prediction("spam", "1", {}, "good")
    assert [event.experiment for event in tracing.events] == ["offpath/spam"]


def test_the_trace_id_is_there_within_the_block_alone() -> None:
    with pytest.raises(RuntimeError, match="begins with the block"):
        _ = RecordingTracing().prediction("fraud", "3").trace_id


def test_nothing_of_an_untraced_model_is_sent() -> None:
    choices = TracingChoices(models=TracedModels.parse("fraud=off"))
    with RecordingTracing(choices=choices) as tracing, tracing.tracer("x").start_as_current_span("handler"):
        with tracing.prediction("fraud", "3", inputs={"secret": 1}) as prediction:
            with offpath.traced("features"):
                prediction.outputs = "good"
        assert prediction.trace_id is None
    [event] = tracing.events
    assert "features" not in event.body
    assert "secret" not in event.body


def test_a_prediction_is_not_traced_twice() -> None:
    tracing = RecordingTracing()
    made = tracing.prediction("fraud", "3", {}, "good")
    with pytest.raises(RuntimeError, match="traced already"), made:
        pass
    assert len(tracing.events) == 1


class Broken(dict[str, str]):
    """Outputs whose methods raise."""

    def get(self, key: object, default: object = None) -> Any:
        raise RuntimeError("a defect")


def test_outputs_that_raise_cost_no_trace() -> None:
    tracing = RecordingTracing()
    tracing.prediction("fraud", "3", {}, Broken(a="b"))
    assert tracing.spans()["fraud"]["mlflow.spanOutputs"] == '{"a": "b"}'
