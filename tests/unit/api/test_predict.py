"""Answers and traces of `POST /models/{name}/predict`."""

import json
import re
from typing import Any

import pytest

from local.testbed.models import IRIS_COLUMNS, SETOSA, VIRGINICA
from tests.support.builders.api import Api, BrokenPredictor


@pytest.fixture
def api() -> Api:
    return Api(max_records=5, max_body_bytes=2_000)


def post(api: Api, body: Any, name: str = "iris", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.client.post(f"/models/{name}/predict", content=content, headers=headers)


def test_a_classification_carries_label_index_and_probabilities(api: Api) -> None:
    answer = post(api, {"inputs": [SETOSA]}).json()
    [prediction] = answer["predictions"]
    assert (answer["model"], answer["version"], answer["alias"]) == ("iris", "1", "champion")
    assert prediction["label"] == "setosa"
    assert prediction["class_index"] == 0
    assert set(prediction["probabilities"]) == {"setosa", "versicolor", "virginica"}
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_regression_carries_the_value(api: Api) -> None:
    assert post(api, {"inputs": [{"a": 1.5, "b": 2}]}, "sum").json()["predictions"] == [{"value": 3.5}]


def test_many_records_are_answered_in_their_order(api: Api) -> None:
    answer = post(api, {"inputs": [VIRGINICA, SETOSA, VIRGINICA]}).json()
    assert [prediction["label"] for prediction in answer["predictions"]] == ["virginica", "setosa", "virginica"]


@pytest.mark.parametrize("body", [SETOSA, {"inputs": SETOSA}, {"inputs": [SETOSA]}], ids=["bare", "one", "list"])
def test_one_record_may_come_in_three_forms(api: Api, body: Any) -> None:
    assert post(api, body).json()["predictions"][0]["label"] == "setosa"


def test_the_trace_id_is_in_body_and_header(api: Api) -> None:
    answer = post(api, SETOSA)
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"] == api.traced.events[0].mlflow_trace_id


def test_a_prediction_is_traced_with_inputs_outputs_spans_and_tags(api: Api) -> None:
    answer = post(api, {"inputs": [SETOSA]}).json()
    spans = api.traced.spans()
    root = spans["POST /models/{name}/predict"]
    assert set(spans) == {"POST /models/{name}/predict", "validate", "iris"}
    assert json.loads(root["mlflow.spanInputs"]) == {"inputs": [SETOSA]}
    assert json.loads(root["mlflow.spanOutputs"]) == answer["predictions"]
    assert root["mlflow.traceTag.model"] == "iris"
    assert root["mlflow.traceTag.model_version"] == "1"
    assert root["mlflow.traceTag.alias"] == "champion"
    assert root["mlflow.traceTag.prediction"] == "setosa"
    assert root["mlflow.traceTag.mlflow.traceName"] == "iris"
    assert root["http.response.status_code"] == 200
    assert "mlflow.traceTag.outcome" not in root
    assert api.traced.events[0].experiment == "offpath/iris"


def test_an_unknown_model_is_told_which_names_exist(api: Api) -> None:
    answer = post(api, SETOSA, "irsi")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["models"] == ["iris", "sum"]
    assert "'irsi'" in answer.json()["detail"]
    assert json.loads(api.traced.spans()["POST /models/{name}/predict"]["mlflow.spanInputs"]) == SETOSA
    assert api.traced.events[0].experiment == "offpath", "a made-up name must not become an experiment"


def without(name: str) -> dict[str, float]:
    return {column: value for column, value in SETOSA.items() if column != name}


def raw(value: str) -> bytes:
    return json.dumps({"inputs": [SETOSA]}).replace("1.4", value).encode()


REFUSED = {
    "missing field": ({"inputs": [without("petal_width")]}, 422, "inputs[0].petal_width", "required"),
    "missing field of a bare record": (without("petal_width"), 422, "petal_width", "required"),
    "unknown field": ({"inputs": [SETOSA, SETOSA | {"colour": 1}]}, 422, "inputs[1].colour", "unknown field"),
    "wrong type": ({"inputs": [SETOSA | {"petal_width": "wide"}]}, 422, "inputs[0].petal_width", "'wide'"),
    "boolean for a number": ({"inputs": [SETOSA | {"petal_width": True}]}, 422, "inputs[0].petal_width", "number"),
    "null": ({"inputs": [SETOSA | {"petal_width": None}]}, 422, "inputs[0].petal_width", "number"),
    "NaN": (raw("NaN"), 422, "inputs[0].petal_length", "finite"),
    "Infinity": (raw("-Infinity"), 422, "inputs[0].petal_length", "finite"),
    "overflow": (raw("1e999"), 422, "inputs[0].petal_length", "finite"),
    "more than the model's float holds": (raw("1e300"), 422, "inputs[0].petal_length", "too large"),
    "very many fields": ({"inputs": [SETOSA, dict.fromkeys(map(str, range(99)), 1)]}, 422, "inputs[1]", "99 fields"),
    "very many fields of a bare record": (dict.fromkeys(map(str, range(99)), 1), 422, "the record", "99 fields"),
    "empty list": ({"inputs": []}, 422, "inputs", "at least one"),
    "too many records": ({"inputs": [SETOSA] * 6}, 422, "inputs", "at most 5 records, got 6"),
    "a record that is no object": ({"inputs": [1]}, 422, "inputs[0]", "dictionary"),
    "inputs of another type": ({"inputs": "all"}, 422, "inputs", "dictionary"),
    "a field beside inputs": ({"inputs": [SETOSA], "params": {}}, 422, "params", "not known"),
}


@pytest.mark.parametrize(("body", "status", "field", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_field(api: Api, body: Any, status: int, field: str, message: str) -> None:
    answer = post(api, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert message in errors[field]


@pytest.mark.parametrize("body", [b"", b"{", b"inputs=1", b"\xff\xfe"], ids=["empty", "cut off", "form", "not UTF-8"])
def test_what_is_not_json_is_refused(api: Api, body: bytes) -> None:
    answer = post(api, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the body is not JSON")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_json_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    answer = post(api, body)
    assert answer.status_code == 422
    assert "not a JSON object" in answer.json()["detail"]


def test_a_large_body_is_refused_by_what_it_announces(api: Api) -> None:
    answer = post(api, b" " * 2_001)
    assert answer.status_code == 413
    assert answer.json()["max_bytes"] == 2_000
    assert "2000 bytes" in answer.json()["detail"]


def test_a_large_streamed_body_is_refused(api: Api) -> None:
    answer = api.client.post("/models/iris/predict", content=(b" " * 500 for _ in range(5)))
    assert answer.status_code == 413


def test_many_fields_beside_inputs_are_counted_and_partly_listed(api: Api) -> None:
    answer = post(api, {"inputs": [SETOSA], **dict.fromkeys(map(str, range(99)), 1)}).json()
    assert len(answer["errors"]) == 20
    assert answer["detail"] == "99 unknown field(s) beside inputs"


def test_values_without_a_finite_answer_are_refused(api: Api) -> None:
    answer = post(api, {"inputs": [{"a": 3.4e38, "b": 3.4e38}]}, "sum")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "inputs[0]"
    assert "not finite" in answer.json()["errors"][0]["message"]
    assert api.traced.traces[0].root.status.is_unset


def test_many_errors_are_counted_and_the_first_are_listed() -> None:
    answer = post(Api(), {"inputs": [{}] * 10}).json()
    assert len(answer["errors"]) == 20
    assert answer["detail"] == "40 field(s) are not as the model's signature says; the first 20 are listed"


def test_a_refused_request_is_traced_and_reaches_no_model(api: Api) -> None:
    answer = post(api, {"inputs": [{}]})
    trace = api.traced.traces[0]
    spans = api.traced.spans()
    root = spans["POST /models/{name}/predict"]
    assert set(spans) == {"POST /models/{name}/predict", "validate"}
    assert trace.root.status.status_code.name == trace.span("validate").status.status_code.name == "UNSET"
    assert [event.name for event in trace.span("validate").events] == ["exception"]
    assert (root["http.response.status_code"], root["mlflow.traceTag.outcome"]) == (422, "refused")
    assert json.loads(root["mlflow.spanOutputs"]) == answer.json()
    assert answer.json()["trace_id"] == api.traced.events[0].mlflow_trace_id


def test_a_model_that_breaks_is_answered_and_traced() -> None:
    api = Api(load=BrokenPredictor)
    answer = post(api, SETOSA)
    trace = api.traced.traces[0]
    assert answer.status_code == 500
    assert answer.json()["trace_id"] == api.traced.events[0].mlflow_trace_id
    assert "the model broke" not in answer.text
    assert trace.root.status.description == "RuntimeError: the model broke"
    assert trace.span("iris").status.description == "RuntimeError: the model broke"
    assert (trace.root.attributes or {})["mlflow.traceTag.outcome"] == "failed"


def test_paths_and_methods_that_do_not_exist_are_problems_too(api: Api) -> None:
    missing, wrong = api.client.get("/predict"), api.client.get("/models/iris/predict")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert missing.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"
    assert wrong.headers["allow"] == "POST"
    assert api.traced.traces == []


def test_the_documentation_has_each_models_fields_and_an_example(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    content = document["paths"]["/models/iris/predict"]["post"]["requestBody"]["content"]["application/json"]
    record = content["schema"]["properties"]["inputs"]["anyOf"][1]
    assert sorted(record["required"]) == sorted(IRIS_COLUMNS)
    assert content["example"] == {"inputs": [SETOSA]}
    assert post(api, content["example"]).status_code == 200
    assert "/models/sum/predict" in document["paths"]
    assert "422" not in document["paths"]["/models/{name}"]["get"]["responses"], "no route answers in FastAPI's form"
    assert not any("ValidationError" in name for name in document["components"]["schemas"])


def test_the_documentations_page_needs_no_other_server(api: Api) -> None:
    page = api.client.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("http://testserver/"), address
        assert api.client.get(address).status_code == 200
    assert api.client.get("/", follow_redirects=False).headers["location"].endswith("/docs")


def test_the_documented_answer_is_the_models_own(api: Api) -> None:
    operation = api.client.get("/openapi.json").json()["paths"]["/models/iris/predict"]["post"]
    sent = operation["requestBody"]["content"]["application/json"]["example"]
    documented = operation["responses"]["200"]["content"]["application/json"]["example"]
    answered = post(api, sent).json()
    assert documented["predictions"] == answered["predictions"]
    assert documented.keys() == answered.keys()
