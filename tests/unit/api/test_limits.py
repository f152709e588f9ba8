"""What a model's original refuses is refused, on both routes, with column, value and record."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from local.testbed.models import Model
from offpath.contracts.model_manifest import Column, ColumnLimits, ModelVersion, Signature, Tensor, TextAnalyzer
from offpath.contracts.names import ABSENT_TEXT, model_file_key, prepared_input
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.errors import ModelUnusable
from tests.support.builders.api import Api

PLAN = ColumnLimits(values=("basic", "pro"), absent=ABSENT_TEXT)
AGE = ColumnLimits(least=0.0, most=150.0, missing=False)


def version(content: bytes, signature: Signature, **fields: Any) -> ModelVersion:
    digest = hashlib.sha256(content).hexdigest()
    described = {"version": "1", "task": "regression", "weight": 100, "bytes": len(content), **fields}
    return ModelVersion(key=model_file_key(digest), sha256=digest, signature=signature, **described)


def file_of(nodes: list[Any], inputs: list[Any], constants: list[Any], rank: int = 2) -> bytes:
    output = helper.make_tensor_value_info("value", TensorProto.DOUBLE, [None] * rank)
    graph = helper.make_graph(nodes, "graph", inputs, [output], constants)
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    content: bytes = helper.make_model(graph, opset_imports=sets, ir_version=10).SerializeToString()
    return content


def people() -> Model:
    """Return age plus 1000 for pro, 2000 for a plan that is missing, which the graph must be told of."""
    name = prepared_input("plan")
    keys: dict[str, Any] = {
        "keys_strings": ["basic", "pro", ABSENT_TEXT],
        "values_floats": [0.0, 1000.0, 2000.0],
        "default_float": -1.0,
    }
    nodes = [
        helper.make_node("LabelEncoder", [name], ["code"], domain="ai.onnx.ml", **keys),
        helper.make_node("Cast", ["code"], ["number"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["age", "number"], ["value"]),
    ]
    kinds = {"age": TensorProto.DOUBLE, name: TensorProto.STRING}
    inputs = [helper.make_tensor_value_info(one, kind, [None, 1]) for one, kind in kinds.items()]
    content = file_of(nodes, inputs, [])
    columns = (
        Column(name="age", type="double", limits=AGE),
        Column(name="plan", type="string", required=False, limits=PLAN),
    )
    return Model("people", content, version(content, Signature(inputs=columns)))


@pytest.fixture(scope="module")
def api() -> Api:
    return Api(models=[people()])


def predict(api: Api, *records: dict[str, Any]) -> Any:
    return api.client.post("/models/people/predict", json={"inputs": records})


def invoke(api: Api, *records: dict[str, Any]) -> Any:
    return api.client.post("/models/people/invocations", json={"dataframe_records": records})


def test_what_the_original_takes_is_answered(api: Api) -> None:
    answer = predict(api, {"age": 30, "plan": "pro"}, {"age": 30})
    assert [one["value"] for one in answer.json()["predictions"]] == [1030.0, 2030.0]
    answer = invoke(api, {"age": 30, "plan": "pro"}, {"age": 30, "plan": None})
    assert [one["value"] for one in answer.json()["predictions"]] == [1030.0, 2030.0]


@pytest.mark.parametrize(
    ("record", "column", "reason"),
    [
        (
            {"age": 30, "plan": "gold"},
            "plan",
            "the model does not know this value; it knows 'basic', 'pro'; got 'gold'",
        ),
        ({"age": -1, "plan": "pro"}, "age", "the model takes numbers from 0 on here; got -1"),
        ({"age": 151, "plan": "pro"}, "age", "the model takes numbers up to 150 here; got 151"),
    ],
)
def test_a_value_that_the_original_refuses_is_named(api: Api, record: dict[str, Any], column: str, reason: str) -> None:
    good = {"age": 1.0, "plan": "pro"}
    answer = predict(api, good, record)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": f"inputs[1].{column}", "message": reason}]
    scored = invoke(api, good, record)
    assert scored.status_code == 400
    assert scored.json()["message"].startswith(f"column {column}, record 1: {reason.partition(';')[0]}")


def test_null_is_refused_where_the_original_fails(api: Api) -> None:
    answer = invoke(api, {"age": 1, "plan": "pro"}, {"age": None, "plan": "pro"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("column age, record 1: the model takes no missing value here")


def test_the_schema_lists_the_values(api: Api) -> None:
    document = api.client.get("/openapi.json").text
    assert '"enum":["basic","pro"]' in document


def test_a_graph_of_terms_counts_them() -> None:
    analyzers = (TextAnalyzer(analyzer="word", lowercase=True, token_pattern=r"\w+"),)
    name = prepared_input("text")
    nodes = [
        helper.make_node("StringSplit", [name], ["terms", "count"], delimiter="\x1f"),
        helper.make_node("Cast", ["count"], ["value"], to=TensorProto.DOUBLE),
    ]
    content = file_of(nodes, [helper.make_tensor_value_info(name, TensorProto.STRING, [None])], [], rank=1)
    column = Column(name="text", type="string", limits=ColumnLimits(analyzers=analyzers))
    api = Api(models=[Model("words", content, version(content, Signature(inputs=(column,))))])
    answer = api.client.post("/models/words/predict", json={"inputs": [{"text": "Ünder één roof"}, {"text": "é"}]})
    assert [one["value"] for one in answer.json()["predictions"]] == [3.0, 1.0]


def test_a_graph_of_prepared_texts_needs_its_limits() -> None:
    """An API that does not know the field sees a column without it."""
    model = people()
    plain = tuple(column.model_copy(update={"limits": None}) for column in model.version.signature.columns)
    unaware = model.version.model_copy(update={"signature": Signature(inputs=plain)})
    with pytest.raises(ModelUnusable, match="takes the inputs"):
        OnnxModel.load(model.content, unaware)


def test_a_tensor_has_limits_too() -> None:
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])]
    nodes = [helper.make_node("ReduceSum", ["x", "axis"], ["value"], keepdims=1)]
    content = file_of(nodes, inputs, [numpy_helper.from_array(np.array([1]), "axis")])
    limits = ColumnLimits(most=10.0, missing=False)
    signature = Signature(inputs=(Tensor(dtype="float64", shape=(-1, 2), limits=limits),))
    api = Api(models=[Model("matrix", content, version(content, signature))])
    answer = api.client.post("/models/matrix/predict", json={"inputs": [[1, 2], [11, 3]]})
    assert answer.status_code == 422
    assert "the model takes numbers up to 10 here; got 11.0" in answer.json()["errors"][0]["message"]
    for value, reason in ((11, "numbers up to 10 here"), (None, "no missing value here")):
        answer = api.client.post("/models/matrix/invocations", json={"inputs": [[1, 2], [value, 3]]})
        assert answer.status_code == 400
        assert f"tensor inputs, record 1: the model takes {reason}" in answer.json()["message"]
