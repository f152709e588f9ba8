"""Values that the signature allows and the graph does not: the caller's 422 that names record and column."""

import json
from typing import Any

import pytest
from onnx import TensorProto, helper

from local.testbed.models import Model, graph, model_of
from offpath.contracts.model_manifest import Column, Tensor
from prediction_api.adapters.onnx_refusals import run_or_refuse
from prediction_api.inputs.batch import Batch, Outputs
from tests.support.builders.api import Api

TEXT = Column(name="text", type="string")
X = Column(name="x", type="double")
FLOAT, STRING, INT = TensorProto.FLOAT, TensorProto.STRING, TensorProto.INT64


def parsed_text() -> Model:
    """The sum of a number and of a number in a text: ONNX Runtime fails for a text that is none."""
    nodes = [
        helper.make_node("Cast", ["text"], ["number"], to=FLOAT),
        helper.make_node("Add", ["number", "x"], ["y"]),
    ]
    made = graph([("text", STRING, ["n", 1]), ("x", FLOAT, ["n", 1])], [("y", FLOAT, ["n", 1])], nodes)
    return model_of("parsed", made, TEXT, X, input_example={"text": "1", "x": 1.0})


def looked_up() -> Model:
    """A table of three numbers: ONNX Runtime refuses an index beyond it."""
    table = helper.make_tensor("table", FLOAT, [3], [5.0, 6.0, 7.0])
    node = helper.make_node("Gather", ["table", "at"], ["y"])
    made = graph([("at", INT, ["n"])], [("y", FLOAT, ["n"])], [node], [table])
    return model_of("looked_up", made, Tensor(dtype="int64", shape=(-1,)), input_example=[0])


@pytest.fixture
def api() -> Api:
    return Api(models=[parsed_text(), looked_up()])


def post(api: Api, name: str, inputs: Any, route: str = "predict") -> Any:
    return api.client.post(f"/models/{name}/{route}", json={"inputs": inputs})


def records(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "x": 1.5} for text in texts]


def test_one_bad_record_of_many_is_named(api: Api) -> None:
    answer = post(api, "parsed", records("1", "2", "3", "4", "five", "6", "7"))
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "inputs[4].text"
    assert "does not take 'five'" in error["message"]


def test_each_bad_record_is_named_up_to_twenty(api: Api) -> None:
    texts = ["x" if index % 3 else "1" for index in range(90)]
    errors = post(api, "parsed", records(*texts)).json()["errors"]
    assert [error["field"] for error in errors] == [f"inputs[{index}].text" for index in range(90) if index % 3][:20]


def test_scoring_answers_400_for_such_a_value(api: Api) -> None:
    answer = post(api, "parsed", records("1", "two"), "invocations")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert "inputs[1].text" in answer.json()["message"]


def test_one_bad_tensor_record_of_many_is_named(api: Api) -> None:
    answer = post(api, "looked_up", [0, 2, 3, 1])
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "inputs[2]"
    assert "out of data bounds" in error["message"]


def test_such_a_refusal_is_no_failure_in_the_trace(api: Api) -> None:
    answer = post(api, "parsed", records("five"))
    root = api.traced.spans()["POST /models/{name}/predict"]
    assert answer.status_code == root["http.response.status_code"] == 422
    assert root["mlflow.traceTag.outcome"] == "refused"


def test_good_records_are_still_answered(api: Api) -> None:
    predictions = post(api, "parsed", records("1", "2")).json()["predictions"]
    assert [prediction["value"] for prediction in predictions] == [2.5, 3.5]


def test_a_graph_that_fails_for_its_example_is_a_defect() -> None:
    def broken(_: Batch) -> Outputs:
        raise RuntimeError("out of memory")

    batch = Batch({"x": [1.0]}, 1)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_or_refuse(broken, batch, batch)


def test_a_batch_that_fails_as_a_whole_is_a_defect() -> None:
    def small(batch: Batch) -> Outputs:
        if batch.records > 4:
            raise RuntimeError("out of memory")
        return {}

    with pytest.raises(RuntimeError, match="out of memory"):
        run_or_refuse(small, Batch({"x": [1.0] * 8}, 8), Batch({"x": [1.0]}, 1))


def test_the_answer_is_json_whatever_the_value(api: Api) -> None:
    answer = post(api, "parsed", records('"\\\u2028'))
    assert answer.status_code == 422
    json.loads(answer.content)
