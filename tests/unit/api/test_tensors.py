"""Models whose signature has tensors: predictions, refusals, documentation."""

import json
from typing import Any

import pytest
from onnx import TensorProto, helper

from local.testbed.models import SETOSA, Model, graph, iris_onnx, model_of
from offpath.contracts.model_manifest import Column, Tensor
from tests.support.builders.api import Api, Calls

FLAT = Tensor(dtype="float32", shape=(-1, 4))
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.9, 3.1, 5.4, 2.1]]
LABELS = ("setosa", "versicolor", "virginica")


def iris(*tensors: Tensor | Column, **fields: Any) -> Model:
    """The iris model, which takes one tensor."""
    return model_of("flowers", iris_onnx(), *(tensors or [FLAT]), task="classification", labels=LABELS, **fields)


def handed_through(name: str, tensor: Tensor, kind: int, shape: list[Any]) -> Model:
    """A model that gives what it takes."""
    onnx = graph([("x", kind, shape)], [("same", kind, shape)], [helper.make_node("Identity", ["x"], ["same"])])
    return model_of(name, onnx, tensor)


def pair() -> Model:
    """Return the model `a + b`, of two tensors."""
    kinds = [(name, TensorProto.FLOAT, [None, 2]) for name in ("a", "b")]
    onnx = graph(kinds, [("sum", TensorProto.FLOAT, [None, 2])], [helper.make_node("Add", ["a", "b"], ["sum"])])
    named = [Tensor(name=name, dtype="float32", shape=(-1, 2)) for name in ("b", "a")]
    return model_of("pair", onnx, *named)


IMAGE = handed_through("image", Tensor(name="x", dtype="uint8", shape=(-1, 2, 2)), TensorProto.UINT8, [None, 2, 2])
COUNTS = handed_through("counts", Tensor(dtype="int64", shape=(-1,)), TensorProto.INT64, [None])
FLAGS = handed_through("flags", Tensor(dtype="bool", shape=(-1,)), TensorProto.BOOL, [None])
WORDS = handed_through("words", Tensor(dtype="str", shape=(-1, -1)), TensorProto.STRING, [None, 2])
WIDE = handed_through("wide", Tensor(dtype="float64", shape=(-1, -1)), TensorProto.FLOAT, [None, 2])


@pytest.fixture(scope="module")
def api() -> Api:
    return Api(max_records=5, models=[iris(), pair(), IMAGE, COUNTS, FLAGS, WORDS, WIDE])


def post(api: Api, name: str, inputs: Any, route: str = "predict") -> Any:
    return api.client.post(f"/models/{name}/{route}", content=json.dumps({"inputs": inputs}).encode())


def values(answer: Any) -> list[Any]:
    return [prediction["value"] for prediction in answer.json()["predictions"]]


def test_a_batch_is_predicted_by_one_call() -> None:
    calls = Calls()
    api = Api(load=calls.load, models=[iris()])
    calls.records.clear()
    answer = post(api, "flowers", [ROWS[0], ROWS[1], ROWS[0]]).json()
    assert [one["label"] for one in answer["predictions"]] == ["setosa", "virginica", "setosa"]
    assert set(answer["predictions"][0]["probabilities"]) == set(LABELS)
    assert calls.records == [3]


def test_tensors_are_taken_by_their_names(api: Api) -> None:
    assert values(post(api, "pair", {"a": [[1, 2]], "b": [[10, 20]]})) == [[11.0, 22.0]]
    assert values(post(api, "image", {"x": [[[1, 2], [3, 4]]]})) == values(post(api, "image", [[[1, 2], [3, 4]]]))


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("counts", [1, 2**62]), ("words", [["é", ""]]), ("flags", [True, False]), ("image", [[[0, 255], [1, 2]]])],
)
def test_each_type_is_handed_on_as_it_is(api: Api, name: str, inputs: Any) -> None:
    assert values(post(api, name, inputs)) == inputs
    assert post(api, name, inputs, "invocations").json() == {"predictions": {"same": inputs}}


def test_a_trace_has_the_records_and_a_single_ones_label(api: Api) -> None:
    post(api, "flowers", ROWS[:1], "invocations")
    spans = api.traced.spans()
    assert spans["POST /models/{name}/invocations"]["mlflow.traceTag.prediction"] == "setosa"
    assert spans["validate"]["mlflow.spanOutputs"] == '{"records": 1}'
    post(api, "flowers", ROWS)
    assert "mlflow.traceTag.prediction" not in api.traced.spans()["POST /models/{name}/predict"]


REFUSED = {
    "a short record": ("flowers", [[1, 2, 3]], "inputs", "expected the shape [-1, 4], got [1, 3]"),
    "a dimension too few": ("flowers", [1, 2, 3, 4], "inputs", "expected the shape [-1, 4], got [4]"),
    "records of two lengths": ("flowers", [[1, 2, 3, 4], [1]], "inputs", "same length"),
    "a text": ("flowers", [[1, 2, 3, "4"]], "inputs", "expected float32"),
    "null": ("flowers", [[1, 2, 3, None]], "inputs", "expected float32"),
    "true": ("flowers", [[True, False, True, True]], "inputs", "expected float32, got bool"),
    "NaN": ("flowers", [[1, 2, 3, float("nan")]], "inputs", "finite"),
    "too large": ("flowers", [[1, 2, 3, 1e300]], "inputs", "1e+300 is too large for float32"),
    "no records": ("counts", [], "inputs", "expected 1 to 5 records, got 0"),
    "too many": ("flowers", [ROWS[0]] * 6, "inputs", "expected 1 to 5 records, got 6"),
    "a fraction": ("counts", [1.5], "inputs", "expected int64, got float64"),
    "too large for long": ("counts", [2**63], "inputs", "is not within"),
    "not a byte": ("image", [[[0, 256], [1, 2]]], "inputs.x", "256 is not within 0 and 255"),
    "a number for true": ("flags", [1], "inputs", "expected bool, got int64"),
    "a number for a text": ("words", [["a", 1]], "inputs", "expected texts"),
    "texts of two lengths": ("words", [["a", "b"], ["c"]], "inputs", "expected texts"),
    "a tensor missing": ("pair", {"a": [[1, 2]]}, "inputs", "['b', 'a'], got ['a']"),
    "a tensor too many": ("pair", {"a": [[1, 2]], "b": [[1, 2]], "c": []}, "inputs", "['b', 'a']"),
    "no names": ("pair", [[1, 2]], "inputs", "got list"),
    "of two lengths": ("pair", {"a": [[1, 2]], "b": [[1, 2], [3, 4]]}, "inputs", "{'b': 2, 'a': 1}"),
}


@pytest.mark.parametrize(("name", "inputs", "field", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_tensor_and_what_was_expected(
    api: Api, name: str, inputs: Any, field: str, message: str
) -> None:
    answer = post(api, name, inputs)
    assert answer.status_code == 422
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert message in errors[field]


@pytest.mark.parametrize("body", [b"{}", b'{"inputs": [[1]], "more": 1}', b"[[1, 2, 3, 4]]", b'{"x": 1}'])
def test_a_body_holds_inputs_alone(api: Api, body: bytes) -> None:
    answer = api.client.post("/models/flowers/predict", content=body)
    assert answer.status_code == 422
    assert "inputs" in answer.json()["detail"]


@pytest.mark.parametrize("route", ["predict", "invocations"])
def test_a_shape_that_only_the_graph_fixes_is_refused(api: Api, route: str) -> None:
    answer = post(api, "words", [["a", "b", "c"]], route)
    assert answer.status_code == (422 if route == "predict" else 400)
    assert "the model does not take these inputs" in answer.text
    assert "Expected: 2" in answer.text


def test_a_value_that_only_the_graph_cannot_hold_is_refused(api: Api) -> None:
    assert values(post(api, "wide", [[1, 2.5]])) == [[1.0, 2.5]]
    answer = post(api, "wide", [[1, 1e300]])
    assert answer.status_code == 422
    assert "1e+300 is too large for float32" in answer.json()["detail"]


def test_the_documentation_shows_the_nested_lists() -> None:
    api = Api(models=[iris(input_example=[ROWS[0]]), pair()])
    paths = api.client.get("/openapi.json").json()["paths"]
    content = paths["/models/flowers/predict"]["post"]["requestBody"]["content"]["application/json"]
    inner = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    expected = {"type": "array", "items": inner, "description": "float32 of the shape [-1, 4]"}
    assert content["schema"]["properties"]["inputs"] == expected
    assert api.client.post("/models/flowers/predict", json=content["example"]).status_code == 200
    scoring = paths["/models/flowers/invocations"]["post"]["requestBody"]["content"]
    assert set(scoring) == {"application/json"}
    assert (
        api.client.post("/models/flowers/invocations", json=scoring["application/json"]["example"]).status_code == 200
    )
    named = paths["/models/pair/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert named["properties"]["inputs"]["required"] == ["b", "a"]


def test_a_model_is_described_with_its_tensors() -> None:
    api = Api(models=[iris(input_example=[ROWS[0]])])
    described = api.client.get("/models/flowers").json()
    assert described["signature"]["inputs"] == [{"name": None, "type": "tensor", "dtype": "float32", "shape": [-1, 4]}]
    assert described["input_example"] == [ROWS[0]]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (iris(Tensor(dtype="int64", shape=(-1, 4))), "takes 'features' as tensor(float), but the signature says int64"),
        (iris(Tensor(dtype="str", shape=(-1, 4))), "the signature says str"),
        (iris(Tensor(dtype="float32", shape=(-1, 3))), "Expected: 4"),
        (iris(*(Tensor(name=name, dtype="float32", shape=(-1, 4)) for name in "ab")), "the tensors ['a', 'b']"),
        (iris(input_example=["wide"]), "does not run in ONNX Runtime"),
    ],
)
def test_a_graph_that_does_not_fit_its_tensors_fails_alone(model: Model, reason: str) -> None:
    api = Api(models=[model])
    health = api.client.get("/health").json()
    assert reason in health["models"]["flowers"]["problem"]
    assert api.client.post("/models/iris/predict", json=SETOSA).status_code == 200
