"""The document's own code: with the wheel alone, and as a function with the layer alone, to a trace in MLflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.built import bytecode, sdk_layer, sdk_wheel
from local.sources import ROOT
from local.testbed.lambda_runtime import lambda_runtime
from tests.support.sdk_package import FETCHED, HERE, UV, environment, layer_variables, runtime_environment
from tests.support.servers.mlflow_rest import Mlflow

if TYPE_CHECKING:
    from tests.integration.conftest import Delivered

LAMBDA = "3.13"
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", (ROOT / "docs" / "sdk.md").read_text(), flags=re.DOTALL))
CALL_STEPS = """
import os
import offpath
tracing = offpath.install(os.environ, service_name="steps")
from steps import answer
from record import record
from decorated import decorate
print(answer("c a b d"), record(tracing, {"amount": 1}, "good"))
class Logger:
    def inject_lambda_context(self, handler):
        return handler
print(decorate(tracing, Logger(), lambda event, context: event)("event", None))
tracing.shutdown()
"""
CALL_WEB = """
import asyncio
from web import app, tracing
sent = []
async def receive(): return {"type": "http.request", "body": b""}
async def send(message): sent.append(message)
headers = [(b"x-session-id", b"s-1")]
scope = {"type": "http", "method": "GET", "path": "/shop", "headers": headers}
asyncio.run(app(scope, receive, send))
print(dict(sent[0]["headers"])[b"x-trace-id"].decode())
tracing.shutdown()
"""
ASGI_FUNCTION = """
import asyncio
from web import app, tracing

@tracing.lambda_handler
def handler(event, context):
    sent = []
    async def receive(): return {"type": "http.request", "body": b""}
    async def send(message): sent.append(message)
    asyncio.run(app({"type": "http", "method": "GET", "path": event["path"], "headers": []}, receive, send))
    return sent[-1]["body"].decode()
"""
GENERATOR_FUNCTION = """
import os
import offpath
tracing = offpath.install(os.environ, service_name="steps")
from steps import answer

@tracing.lambda_handler
def handler(event, context):
    return answer(event["question"])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the document's files."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code)
    (tmp_path / "asgi_function.py").write_text(ASGI_FUNCTION)
    (tmp_path / "generator_function.py").write_text(GENERATOR_FUNCTION)
    return tmp_path


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel alone."""
    wheel = sdk_wheel.build(UV, tmp_path_factory.mktemp("wheel"))
    return environment(tmp_path_factory.mktemp("clean") / "venv", sys.executable, [wheel])


@pytest.fixture(scope="module")
def lambda_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of Lambda's runtime, with what that has."""
    made = runtime_environment(LAMBDA, tmp_path_factory.mktemp("runtime") / "venv")
    if made is None:
        pytest.skip(f"there is no Python {LAMBDA} here, and uv can fetch none")
    return made


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a function that has the layer."""
    opt = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(
        sdk_layer.build(UV, HERE, tmp_path_factory.mktemp("layer"), bytecode.interpreters(UV, FETCHED))
    ) as content:
        content.extractall(opt)
    return layer_variables(opt, LAMBDA)


def run_in(python: Path, project: Path, environ: Mapping[str, str], *command: str) -> list[str]:
    """Return the lines that a program prints, which sees the project and the wheel alone."""
    path = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [str(python), *command], cwd=project, env={**path, **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def tags(info: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in info["tags"].items() if not name.startswith("mlflow.art")}


def test_the_first_trace_is_in_mlflow(
    python: Path, project: Path, environ: dict[str, str], delivered: Delivered, mlflow: Mlflow
) -> None:
    [printed] = run_in(python, project, environ, "try_it.py")
    [trace_id] = delivered()
    assert printed == f"tr-{trace_id}"
    info = mlflow.trace(trace_id)
    assert info["state"] == "OK"
    assert json.loads(info["request_preview"]) == {"amount": 4000, "items": ["a", "b"]}
    assert tags(info).items() >= {"model": "fraud", "model_version": "3", "prediction": "fraud"}.items()
    assert tags(info)["mlflow.traceName"] == "fraud"
    assert {span["name"] for span in mlflow.spans(trace_id)} == {"fraud", "features"}
    assert trace_id in mlflow.trace_ids("offpath/fraud")


def test_functions_generators_and_blocks_are_whole_traces(
    python: Path, project: Path, environ: dict[str, str], delivered: Delivered, mlflow: Mlflow
) -> None:
    labels = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging"}
    found, decorated = run_in(python, project, environ | labels, "-c", CALL_STEPS)
    assert found.startswith("['a', 'b', 'c'] tr-")
    assert decorated == "event"
    traces = {mlflow.trace(trace_id)["tags"]["mlflow.traceName"]: trace_id for trace_id in delivered()}
    assert traces.keys() == {"answer", "fraud"}
    spans = mlflow.spans(traces["answer"])
    assert sorted(span["name"] for span in spans) == ["answer", "lookup", "lookup", "lookup", "lookup", "rank"]
    assert tags(mlflow.trace(traces["answer"]))["deployment.environment.name"] == "staging"


def test_an_asgi_request_is_a_trace_with_its_session(
    python: Path, project: Path, environ: dict[str, str], delivered: Delivered, mlflow: Mlflow
) -> None:
    [printed] = run_in(python, project, environ, "-c", CALL_WEB)
    [trace_id] = delivered()
    assert printed == f"tr-{trace_id}"
    assert mlflow.trace(trace_id)["trace_metadata"]["mlflow.trace.session"] == "s-1"


@pytest.fixture
def in_lambda(
    layer: dict[str, str], lambda_python: Path, project: Path, environ: dict[str, str]
) -> Callable[[str, dict[str, Any]], Any]:
    """Return what a function of the project answers to an event, in Lambda's runtime with the layer alone."""

    def invoke(handler: str, event: dict[str, Any]) -> Any:
        with lambda_runtime(handler, environ | layer, project / "lambda.log", lambda_python, project) as runtime:
            return runtime.invoke(event)

    return invoke


@dataclass(frozen=True, slots=True)
class Call:
    """A function's handler, an event, and the names of the spans that its trace has."""

    handler: str
    event: dict[str, Any]
    spans: set[str]


CALLS = {
    "handler": Call("app.handler", {"body": '{"amount": 1, "items": ["a"]}'}, {"fraud", "features"}),
    "generator": Call("generator_function.handler", {"question": "b a"}, {"answer", "lookup", "rank"}),
    "application": Call("asgi_function.handler", {"path": "/shop"}, {"GET /shop", "total"}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_in_lambda_with_the_layer_alone_each_is_one_trace(
    call: Call, in_lambda: Callable[[str, dict[str, Any]], Any], delivered: Delivered, mlflow: Mlflow
) -> None:
    answer = in_lambda(call.handler, call.event)
    assert "errorType" not in answer, answer
    [trace_id] = delivered()
    assert {span["name"] for span in mlflow.spans(trace_id)} == call.spans
    assert mlflow.trace(trace_id)["state"] == "OK"
