"""The scoring protocol, beside MLflow's own scoring server over the same model files."""

from __future__ import annotations

import json
import math
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.ports import free_port
from local.testbed.processes import await_answer, running
from tests.support.builders.api import Api
from tests.support.builders.scoring_requests import CUBE, FLAT, REQUESTS, ROW

JSON = "application/json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each model as MLflow keeps it, by its name."""
    from tests.support.builders.scoring_models import save_scoring_models

    made = tmp_path_factory.mktemp("scoring")
    save_scoring_models(made)
    return made


@pytest.fixture(scope="module")
def api(folder: Path) -> Api:
    from tests.support.builders.scoring_models import served_model

    return Api(models=[served_model(path) for path in sorted(folder.iterdir())])


@pytest.fixture(scope="module")
def mlflow(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's scoring servers, one below each model's name."""
    port, log = free_port(), tmp_path_factory.mktemp("scoring-log") / "log"
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.servers.scoring_server", str(folder), str(port)]
    with running(command, log) as process:
        await_answer(f"{url}/linear/ping", process, log)
        yield url


Answer = tuple[int, Any]  # status, and predictions or error code


def ask_mlflow(url: str, model: str, body: Any, content_type: str = JSON) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/{model}/invocations" if model else "/invocations"
    request = urllib.request.Request(url + path, content, {"content-type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text)["error_code"] if error.headers["content-type"] == JSON else text.decode()


def ask_api(api: Api, model: str, body: Any, content_type: str = JSON) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = api.client.post(f"/models/{model}/invocations", content=content, headers={"content-type": content_type})
    document = answer.json()
    assert answer.headers["x-trace-id"] == trace_id(api)
    return answer.status_code, document["predictions"] if answer.status_code == 200 else document["error_code"]


def trace_id(api: Api) -> str:
    return f"tr-{api.traced.traces[-1].root.context.trace_id:032x}"


def same(one: Any, other: Any) -> bool:
    """Return whether shapes are equal, and numbers within 1e-6; null is what MLflow writes as NaN or Infinity."""
    match one, other:
        case dict(), dict():
            return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case None, float():
            return not math.isfinite(other)
        case ((int() | float()), (int() | float())):
            return type(one) is type(other) and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
        case _:
            return bool(one == other)


def test_every_request_is_answered_as_mlflow_answers_it(mlflow: str, api: Api) -> None:
    different = [
        f"{model}: {what}: MLflow {theirs}, here {ours}"
        for what, model, body in REQUESTS
        if (theirs := ask_mlflow(mlflow, model, body)) and (ours := ask_api(api, model, body))
        if theirs[0] != ours[0] or not same(ours[1], theirs[1])
    ]
    assert different == [], "\n".join(different)


CSV = "text/csv"
TABLES = {
    "one": ("linear", "x,y\n1,2.5\n"),
    "many, and more columns": ("linear", '"",x,y,note\n0,1,2.5,"a,b"\n1,-3.5,0,\n'),
    "no rows": ("linear", "x,y\n"),
    "each type": ("mixed", "a,f,n,i,b\n1.5,2,3,4,True\n,2,3,4,false\nNA,2,3,4,TRUE\n"),
    "a text for a number": ("linear", "x,y\n1,wide\n"),
    "a gap in a long": ("mixed", "a,f,n,i,b\n1.5,2,,4,True\n"),
    "a float for a long": ("mixed", "a,f,n,i,b\n1.5,2,3.5,4,True\n"),
    "a column missing": ("linear", "x\n1\n"),
    "a long row": ("linear", "x,y\n1,2\n1,2,3\n"),
    "texts": ("text", 'text\ngood\n"é, ""ü"""\n12\n'),
    "nothing": ("linear", ""),
    "tensors": ("flat", "p,q,r,s\n1,2,3,4\n"),
}


@pytest.mark.parametrize("table", TABLES)
def test_csv_is_answered_as_mlflow_answers_it(mlflow: str, api: Api, table: str) -> None:
    model, text = TABLES[table]
    theirs, ours = ask_mlflow(mlflow, model, text.encode(), CSV), ask_api(api, model, text.encode(), CSV)
    assert ours[0] == theirs[0]
    assert same(ours[1], theirs[1]), (ours, theirs)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml",
        "application/x-www-form-urlencoded",
        f"{JSON}; charset=latin-1",
        f"{JSON}; format=pandas-split",
    ],
)
def test_content_types_that_mlflow_does_not_take_are_not_taken(mlflow: str, api: Api, content_type: str) -> None:
    body = {"dataframe_records": [{"x": 1, "y": 2}]}
    assert ask_mlflow(mlflow, "linear", body, content_type)[0] == ask_api(api, "linear", body, content_type)[0] == 415


def test_a_character_set_may_be_named(mlflow: str, api: Api) -> None:
    body, content_type = {"dataframe_records": [{"x": 1, "y": 2}]}, f"{JSON}; charset=UTF-8"
    assert ask_mlflow(mlflow, "linear", body, content_type) == ask_api(api, "linear", body, content_type)


OK, BAD, INVALID = 200, (400, "BAD_REQUEST"), (400, "INVALID_PARAMETER_VALUE")
# What MLflow lets pass and changes without a word, or cannot do: (model, body, MLflow's answer, the answer here).
DIFFERENT: dict[str, tuple[str, Any, Any, Any]] = {
    "a fraction for a long is cut off": ("mixed", {"inputs": [ROW | {"n": 3.9}]}, [{"total": 11.5}], BAD),
    "an integer is wrapped around": (
        "mixed",
        {"dataframe_records": [ROW | {"i": 2**31}]},
        [{"total": -(2.0**31) + 7.5}],
        BAD,
    ),
    "a large float becomes infinite": ("mixed", {"inputs": [ROW | {"f": 1e300}]}, [{"total": math.inf}], BAD),
    "every text is true": ("mixed", {"inputs": [ROW | {"b": "false"}]}, [{"total": 11.5}], BAD),
    "null is false": ("mixed", {"inputs": [ROW | {"b": None}]}, [{"total": 10.5}], BAD),
    "null is a text": ("text", {"inputs": [None]}, [{"same": "None"}], BAD),
    "NaN is a text": (
        "text",
        {"dataframe_records": [{"text": None}, {"text": "b"}]},
        [{"same": "nan"}, {"same": "b"}],
        BAD,
    ),
    "a row is repeated for an index": (
        "text",
        {"dataframe_split": {"columns": ["text"], "data": [["a"]], "index": [1, 2]}},
        [{"same": "a"}, {"same": "a"}],
        BAD,
    ),
    "a row without the tensor is left out": (
        "cube",
        {"instances": [{"x": CUBE[0]}, {"y": CUBE[1]}]},
        {"sums": [[6.0, 15.0]]},
        BAD,
    ),
    "a row that is cut short is filled up": (
        "linear",
        {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [3]]}},
        [{"variable": 21.0}, {"variable": None}],
        BAD,
    ),
    "params are passed over": (
        "linear",
        {"inputs": [{"x": 1, "y": 2}], "params": {"k": 1}},
        [{"variable": 21.0}],
        INVALID,
    ),
    "an optional column cannot be left out": (
        "mixed",
        {"inputs": [{name: value for name, value in ROW.items() if name != "a"}]},
        BAD,
        [{"total": None}],
    ),
    "labels and probabilities are no frame": (
        "iris",
        {"inputs": [{"sl": 5.1, "sw": 3.5, "pl": 1.4, "pw": 0.2}, {"sl": 6.9, "sw": 3.1, "pl": 5.4, "pw": 2.1}]},
        BAD,
        ["setosa", "virginica"],
    ),
    "texts beside other columns do not reach the model": (
        "text_beside",
        {"inputs": [{"a": 1.5, "text": "x"}]},
        BAD,
        [{"doubled": 3.0, "same": "x"}],
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_mlflow_does_that_is_not_done_here(mlflow: str, api: Api, what: str) -> None:
    model, body, theirs, ours = DIFFERENT[what]
    for expected, found in ((theirs, ask_mlflow(mlflow, model, body)), (ours, ask_api(api, model, body))):
        status, value = expected if isinstance(expected, tuple) else (OK, expected)
        assert found[0] == status
        assert same(value, found[1]), found


def test_mlflows_own_client_reads_the_answers(api: Api) -> None:
    """Send and read as MLflow's client of a scoring server does, but without its connection."""
    written: Any = import_module("mlflow.utils.proto_json_utils").dump_input_data
    read: Any = import_module("mlflow.deployments").PredictionsResponse.from_json

    def invoke(model: str, data: Any) -> Any:
        answer = api.client.post(f"/models/{model}/invocations", content=written(data), headers={"content-type": JSON})
        return read(answer.text)

    frame = import_module("pandas").DataFrame({"x": [1.0, 2.0], "y": [0.5, float("nan")]}, index=[7, 9])
    assert invoke("linear", frame).get_predictions()["variable"].tolist() == pytest.approx([6.0, math.nan], nan_ok=True)
    array = np.array(FLAT, np.float32)
    assert np.array(invoke("flat", array)["predictions"]["doubled"]) == pytest.approx(array * 2)
