"""Answers of `POST /models/{name}/invocations` that MLflow's own server does not give as well."""

import json
from typing import Any

import pytest
from mangum import Mangum

import events
from local.testbed.models import IRIS_COLUMNS, SETOSA, VIRGINICA, Model, graph, manifest_of, model_of, sum_version
from offpath.contracts.model_manifest import Column
from tests.support.builders.api import Api, BrokenPredictor
from tests.support.builders.scoring_requests import forms

ROOT = "POST /models/{name}/invocations"
FLOAT, TEXT = 1, 8  # ONNX's numbers for element types


@pytest.fixture
def api() -> Api:
    return Api(max_records=5, max_body_bytes=2_000)


def post(api: Api, body: Any, name: str = "iris", content_type: str = "application/json", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": content_type, **headers}
    return api.client.post(f"/models/{name}/invocations", content=content, headers=headers)


def refused(answer: Any, status: int, code: str, *words: str) -> None:
    document = answer.json()
    assert (answer.status_code, document["error_code"]) == (status, code), document
    assert document.keys() == {"error_code", "message"}
    assert answer.headers["content-type"] == "application/json"
    for word in words:
        assert word in document["message"]


@pytest.mark.parametrize("form", forms([SETOSA]))
def test_a_classification_of_two_outputs_gives_labels_in_every_form(api: Api, form: str) -> None:
    assert post(api, forms([SETOSA, VIRGINICA])[form]).json() == {"predictions": ["setosa", "virginica"]}


@pytest.mark.parametrize("form", forms([SETOSA]))
def test_a_regression_is_a_row_a_record_in_every_form(api: Api, form: str) -> None:
    answer = post(api, forms([{"a": 1, "b": 2.5}, {"a": -1, "b": 0}])[form], "sum")
    assert answer.json() == {"predictions": [{"value": 3.5}, {"value": -1.0}]}


def test_csv_is_taken_and_traced_as_json_text(api: Api) -> None:
    answer = post(api, b"b,a,more\n2.5,1,x\n", "sum", "text/csv; charset=utf-8")
    assert answer.json() == {"predictions": [{"value": 3.5}]}
    assert json.loads(api.traced.spans()[ROOT]["mlflow.spanInputs"]) == "b,a,more\n2.5,1,x\n"


def test_the_sample_event_is_answered_as_lambda_gets_it(api: Api) -> None:
    answer = Mangum(api.app, lifespan="off")(events.load("api_invocations_iris"), {})  # type: ignore[arg-type]
    assert json.loads(answer["body"]) == {"predictions": ["setosa"]}


def test_it_is_traced_as_a_prediction_is(api: Api) -> None:
    body = {"dataframe_records": [SETOSA]}
    answer = post(api, body)
    spans = api.traced.spans()
    root = spans[ROOT]
    assert set(spans) == {ROOT, "validate", "iris"}
    assert json.loads(root["mlflow.spanInputs"]) == body
    assert json.loads(root["mlflow.spanOutputs"]) == ["setosa"]
    assert [root[f"mlflow.traceTag.{tag}"] for tag in ("model", "model_version", "alias", "prediction")] == [
        "iris", "1", "champion", "setosa",
    ]  # fmt: skip
    assert spans["validate"]["mlflow.spanOutputs"] == spans["iris"]["mlflow.spanInputs"] == '{"records": 1}'
    assert (root["http.response.status_code"], api.traced.events[0].experiment) == (200, "offpath/iris")
    assert answer.headers["x-trace-id"] == api.traced.events[0].mlflow_trace_id


def test_a_refusal_is_traced_and_reaches_no_model(api: Api) -> None:
    answer = post(api, {"inputs": [{}]})
    trace, spans = api.traced.traces[0], api.traced.spans()
    assert set(spans) == {ROOT, "validate"}
    assert trace.root.status.status_code.name == "UNSET"
    assert (spans[ROOT]["http.response.status_code"], spans[ROOT]["mlflow.traceTag.outcome"]) == (400, "refused")
    assert json.loads(spans[ROOT]["mlflow.spanOutputs"]) == answer.json()
    assert answer.headers["x-trace-id"] == api.traced.events[0].mlflow_trace_id


REFUSED: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "a column missing": ({"inputs": [{"sepal_width": 1}]}, "INVALID_PARAMETER_VALUE", ("'sepal_length'",)),
    "rows without names": ({"inputs": [[1, 2, 3, 4]]}, "INVALID_PARAMETER_VALUE", ("sepal_length",)),
    "a text": ({"inputs": [SETOSA | {"petal_width": "wide"}]}, "BAD_REQUEST", ("petal_width", "double", "'wide'")),
    "a list": ({"inputs": [SETOSA | {"petal_width": [1]}]}, "INVALID_PARAMETER_VALUE", ("petal_width", "lists")),
    "too large": ({"inputs": [SETOSA | {"petal_width": 1e300}]}, "BAD_REQUEST", ("petal_width", "1e+300")),
    "too many": ({"inputs": [SETOSA] * 6}, "INVALID_PARAMETER_VALUE", ("at most 5 records, got 6",)),
    "params": ({"inputs": [SETOSA], "params": {"k": 1}}, "INVALID_PARAMETER_VALUE", ("params", "none")),
    "params of no type": ({"inputs": [SETOSA], "params": [1]}, "INVALID_PARAMETER_VALUE", ("params",)),
    "no form": ({"records": [SETOSA]}, "BAD_REQUEST", ("dataframe_split", "'records'")),
    "two forms": ({"inputs": [SETOSA], "instances": [SETOSA]}, "BAD_REQUEST", ("exactly one",)),
    "no JSON": (b"{", "BAD_REQUEST", ("not JSON",)),
    "a list for all": ([SETOSA], "BAD_REQUEST", ("JSON object",)),
    "columns twice": ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "BAD_REQUEST", ("once",)),
    "a column's name a list": ({"dataframe_split": {"columns": [["a"]], "data": [[1]]}}, "BAD_REQUEST", ("names",)),
    "a short row": (
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}},
        "BAD_REQUEST",
        ("row 0", "expected 2"),
    ),
    "an index too long": (
        {"dataframe_split": {"columns": ["a"], "data": [[1]], "index": [1, 2]}},
        "BAD_REQUEST",
        ("index", "2 entries for 1"),
    ),
    "columns of two lengths": ({"inputs": {"a": [1], "b": [1, 2]}}, "INVALID_PARAMETER_VALUE", ("one length",)),
    "records and others": ({"dataframe_records": [SETOSA, 1]}, "BAD_REQUEST", ("some records",)),
}


@pytest.mark.parametrize(("body", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_of_mlflows_form_with_the_reason(api: Api, body: Any, code: str, words: tuple[str, ...]) -> None:
    refused(post(api, body), 400, code, *words)


@pytest.mark.parametrize(
    "content_type", ["application/xml", "application/json; charset=latin-1", "text/csv; header=no"]
)
def test_another_content_type_is_told_which_is_taken(api: Api, content_type: str) -> None:
    refused(post(api, {"inputs": [SETOSA]}, content_type=content_type), 415, "BAD_REQUEST", "application/json")


def test_no_content_type_is_json(api: Api) -> None:
    answer = api.client.post("/models/sum/invocations", content=b'{"inputs": [{"a": 1, "b": 2}]}')
    assert answer.json() == {"predictions": [{"value": 3.0}]}


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b'a,b\n"1,2\n', b"a,b\n1,2,3\n"], ids=["empty", "UTF-8", "quote", "long"]
)
def test_what_is_no_csv_is_refused(api: Api, body: bytes) -> None:
    refused(post(api, body, "sum", "text/csv"), 400, "BAD_REQUEST", "CSV")


def test_other_errors_are_of_mlflows_form_too(api: Api) -> None:
    refused(post(api, {"inputs": [SETOSA]}, "irsi"), 404, "RESOURCE_DOES_NOT_EXIST", "'irsi'", "iris, sum")
    refused(post(api, b" " * 2_001), 413, "BAD_REQUEST", "2000 bytes")
    refused(post(Api(load=BrokenPredictor), {"inputs": [SETOSA]}), 500, "INTERNAL_ERROR", "trace")
    api.store.objects.clear()
    api.store.publish(manifest_of(new=sum_version()))
    api.now += 60
    api.loader.refresh_when_due()
    answer = post(api, {"inputs": [SETOSA]}, "new")
    refused(answer, 503, "TEMPORARILY_UNAVAILABLE", "cannot be served")
    assert answer.headers["retry-after"] == "60"


@pytest.mark.parametrize(
    "body",
    [{"dataframe_split": {"columns": list(IRIS_COLUMNS), "data": []}}, {"inputs": {name: [] for name in IRIS_COLUMNS}}],
)
def test_no_records_have_no_predictions(api: Api, body: Any) -> None:
    assert post(api, body).json() == {"predictions": []}


def test_what_is_not_finite_is_null_in_json(api: Api) -> None:
    answer = post(api, {"inputs": [{"a": 1, "b": None}, {"a": 3.4e38, "b": 3.4e38}, {"a": 1, "b": 2}]}, "sum")
    assert answer.json() == {"predictions": [{"value": None}, {"value": None}, {"value": 3.0}]}
    assert json.loads(api.traced.spans()[ROOT]["mlflow.spanOutputs"]) == answer.json()["predictions"]


def test_a_record_without_finite_scores_alone_has_no_label(api: Api) -> None:
    answer = post(api, {"dataframe_records": [SETOSA | {"petal_width": None}, VIRGINICA]})
    assert answer.json() == {"predictions": [None, "virginica"]}


def beside(name: str, shape: list[Any]) -> Model:
    """A text and a number, one tensor of that shape each, handed through."""
    from onnx import helper

    nodes = [helper.make_node("Identity", [given], [f"{given}_"]) for given in ("text", "x")]
    kinds = {"text": TEXT, "x": FLOAT}
    inputs = [(given, kind, shape) for given, kind in kinds.items()]
    outputs = [(f"{given}_", kind, shape) for given, kind in kinds.items()]
    columns = Column(name="text", type="string", required=False), Column(name="x", type="float", required=False)
    return model_of(name, graph(inputs, outputs[::-1], nodes), *columns)


@pytest.mark.parametrize("shape", [[None], [None, 1]])
def test_optional_columns_may_be_left_out_or_null(shape: list[Any]) -> None:
    api = Api(models=[beside("beside", shape)])
    body = {"dataframe_records": [{"text": "é", "x": 1}, {"text": None, "x": None}, {"more": 1}]}
    empty = {"x_": None, "text_": ""}
    assert post(api, body, "beside").json()["predictions"] == [{"x_": 1.0, "text_": "é"}, empty, empty]
    assert post(api, {"inputs": [{}]}, "beside").json()["predictions"] == [empty]


def test_several_values_a_record_are_nested_in_its_row() -> None:
    from onnx import helper

    onnx = graph(
        [("x", FLOAT, [None, 2])], [("same", FLOAT, [None, 2])], [helper.make_node("Identity", ["x"], ["same"])]
    )
    columns = Column(name="p", type="double"), Column(name="q", type="double")
    api = Api(models=[model_of("wide", onnx, *columns)])
    answer = post(api, {"inputs": [{"p": 1, "q": 2}, {"p": 3, "q": 4}]}, "wide").json()
    assert answer == {"predictions": [{"same": [1.0, 2.0]}, {"same": [3.0, 4.0]}]}


def test_the_documentation_has_an_example_that_is_answered(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    content = document["paths"]["/models/iris/invocations"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "text/csv"}
    schema, example = content["application/json"]["schema"], content["application/json"]["example"]
    assert set(schema["properties"]) == {"dataframe_split", "dataframe_records", "inputs", "instances"}
    assert post(api, example).json() == {"predictions": ["setosa"]}
    operations = [entry["operationId"] for path in document["paths"].values() for entry in path.values()]
    assert len(operations) == len(set(operations))
