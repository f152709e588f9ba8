"""Code that uses MLflow's own tracing, with the wheel and mlflow-tracing alone: from its file into MLflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.built import sdk_wheel
from local.sources import ROOT
from tests.support.sdk_package import UV, environment
from tests.support.servers.http_server import Exchange, serving
from tests.support.servers.openai_stub import chat_completions

if TYPE_CHECKING:
    from tests.integration.conftest import Delivered
    from tests.support.servers.mlflow_rest import Mlflow

PACKAGES = ["mlflow-tracing==3.17.2", "openai>=2"]
[ASSISTANT] = re.findall(r"```python\n# assistant\.py\n(.*?)```", (ROOT / "docs" / "sdk.md").read_text(), re.DOTALL)
CALL = """
from assistant import answer, mlflow, tracing

print(answer("When does it come?", "s-1"), mlflow.get_last_active_trace_id())
tracing.shutdown()
"""
CALL_OFTEN = """
import offpath
from assistant import answer, client, tracing

with offpath.traced("outer", attributes={"mlflow.spanType": "AGENT"}):
    answer("one", "s-2")
    client.chat.completions.create(model="small", messages=[])
try:
    answer("three", "s-3")
except Exception as error:
    print(type(error).__name__)
tracing.shutdown()
"""
WITHOUT_MLFLOW = """
import os
import offpath

tracing = offpath.install(os.environ, service_name="assistant")
try:
    tracing.capture_mlflow()
except ImportError as error:
    print(error)
tracing.shutdown()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sdk_wheel.build(UV, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, MLflow's tracing and OpenAI's client."""
    return environment(tmp_path_factory.mktemp("clean") / "venv", sys.executable, [wheel, *PACKAGES])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the document's file."""
    (tmp_path / "assistant.py").write_text(ASSISTANT)
    return tmp_path


@dataclass(frozen=True, slots=True)
class Program:
    """A program that uses the document's file. asked_of_mlflow: what it asked of the tracking server that it knows."""

    python: Path
    folder: Path
    environ: Mapping[str, str]
    asked_of_mlflow: list[str] = field(default_factory=list)

    def run(self, code: str, **variables: str) -> list[str]:
        """Return the lines that it prints. It must have no warnings, at its end either."""
        environ = {"PATH": os.environ["PATH"], **self.environ, **variables}
        command = [str(self.python), "-c", code]
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()


@pytest.fixture
def program(python: Path, project: Path, environ: dict[str, str]) -> Iterator[Program]:
    """A program whose model gives two answers."""
    asked: list[str] = []

    def respond(exchange: Exchange) -> None:
        asked.append(f"{exchange.command} {exchange.path}")
        exchange.answer(404, b"", {})

    with serving(respond) as tracking, chat_completions(["In two days.", "Tomorrow."]) as model:
        of_model = {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "none"}
        of_mlflow = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{tracking}"}
        yield Program(python, project, environ | of_model | of_mlflow, asked)


def attribute(span: Mapping[str, Any], key: str) -> Any:
    """Return the value of a span's attribute as MLflow's UI gets it."""
    return json.loads(span["attributes"][key])


def by_name(mlflow: Mlflow, trace_id: str) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in mlflow.downloaded(trace_id)["spans"]}


def parents(spans: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Return the name of each span's parent."""
    names = {span["span_id"]: name for name, span in spans.items()}
    return {name: names.get(span["parent_span_id"] or "") for name, span in spans.items()}


def test_the_documents_assistant_is_a_whole_trace_in_mlflow(
    program: Program, delivered: Delivered, mlflow: Mlflow
) -> None:
    [printed] = program.run(CALL)
    [trace_id] = delivered()
    assert printed == f"In two days. tr-{trace_id}"
    assert program.asked_of_mlflow == []
    spans = by_name(mlflow, trace_id)
    assert parents(spans) == {"answer": None, "find": "answer", "ask": "answer", "Completions": "ask"}
    assert attribute(spans["find"], "mlflow.spanType") == "RETRIEVER"
    assert attribute(spans["find"], "mlflow.spanInputs") == {"question": "When does it come?"}
    assert attribute(spans["Completions"], "mlflow.spanType") == "CHAT_MODEL"
    assert attribute(spans["Completions"], "mlflow.spanInputs")["model"] == "small"
    info = mlflow.trace(trace_id)
    assert info["state"] == "OK"
    assert json.loads(info["request_preview"]) == {"question": "When does it come?", "session": "s-1"}
    assert json.loads(info["response_preview"]) == "In two days."
    assert info["tags"].items() >= {"shop": "books", "mlflow.traceName": "answer"}.items()
    assert info["trace_metadata"]["mlflow.trace.session"] == "s-1"
    usage = json.loads(info["trace_metadata"]["mlflow.trace.tokenUsage"])
    assert usage.items() >= {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}.items()
    assert trace_id in mlflow.trace_ids("offpath")


def test_several_calls_are_one_trace_and_failures_say_why(
    program: Program, delivered: Delivered, mlflow: Mlflow
) -> None:
    assert program.run(CALL_OFTEN, MLFLOW_EXPERIMENT_NAME="assistants") == ["BadRequestError"]
    traces = {mlflow.trace(trace_id)["tags"]["mlflow.traceName"]: trace_id for trace_id in delivered()}
    assert traces.keys() == {"outer", "answer"}
    info = mlflow.trace(traces["outer"])
    assert json.loads(info["trace_metadata"]["mlflow.trace.tokenUsage"])["total_tokens"] == 32
    assert info["tags"]["shop"] == "books"
    failed = by_name(mlflow, traces["answer"])
    assert mlflow.trace(traces["answer"])["state"] == "ERROR"
    assert "no more answers" in failed["answer"]["status"]["message"]
    assert "exception" in {event["name"] for event in failed["Completions"]["events"]}
    assert set(traces.values()) <= mlflow.trace_ids("assistants")


def test_without_mlflow_the_error_says_what_to_install(
    wheel: Path, tmp_path: Path, project: Path, environ: dict[str, str]
) -> None:
    bare = environment(tmp_path / "bare", sys.executable, [wheel])
    [printed] = Program(bare, project, environ).run(WITHOUT_MLFLOW)
    assert printed == "mlflow is not installed: install mlflow-tracing, or mlflow itself"
