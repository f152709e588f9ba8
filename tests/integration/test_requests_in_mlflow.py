"""What MLflow shows of answered and refused requests, of their callers, and of shadows."""

import json
import uuid
from typing import Any

import httpx2
import pytest
from mlflow import MlflowClient
from mlflow.entities import Span, Trace

from local.testbed.models import SETOSA, iris_onnx, iris_version
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from tests.support.builders.api import Api, breaking
from tests.support.builders.trace_events import inline_message
from tests.support.servers.trace_writer_lambda import WriterFunction

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

CALLER = {"x-session-id": "session-7", "x-user-id": "user-7", "x-client-request-id": "order-7"}
BROKEN = iris_onnx(0.1)
BODIES = {
    "answered": json.dumps(SETOSA),
    "wrong field": json.dumps({"inputs": [{}]}),
    "cut off": "{",
    "deep": '{"inputs": ' + "[" * 50_000,
    "huge number": '{"inputs": ' + "1" * 5_000 + "}",
    "NUL": "a\0b",
}


class Written:
    """Requests that were made, and what MLflow holds of them."""

    def __init__(self, url: str, experiment: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        api = Api(experiment=experiment, load=breaking(BROKEN))
        api.store.add(BROKEN)
        shadow = iris_version("2", weight=0, shadow=True)
        broken = iris_version("3", BROKEN, weight=0)
        models = {"iris": RegisteredModel(aliases={"champion": iris_version(), "next": shadow, "broken": broken})}
        api.store.publish(Manifest(models=models))
        api.now += 60
        api.loader.refresh()
        answers = {
            kind: api.client.post("/models/iris/predict", content=body, headers=CALLER) for kind, body in BODIES.items()
        }
        assert api.client.post("/models/iris/predict?alias=broken", content=BODIES["answered"]).status_code == 500
        api.traced.run_periodic_tasks()
        messages = {str(number): inline_message(event) for number, event in enumerate(api.traced.events)}
        self.undelivered = WriterFunction(monkeypatch, bucket=bucket, mlflow_url=url).invoke(messages)
        self.statuses = {kind: answer.status_code for kind, answer in answers.items()}
        self._ids = {kind: answer.headers["x-trace-id"] for kind, answer in answers.items()}
        self._url = url
        self._client = MlflowClient(url)
        self._experiment = experiment

    def trace(self, kind: str) -> Trace:
        found: Trace = self._client.get_trace(self._ids[kind])
        return found

    def overview(self, model: str = "iris") -> dict[str, float]:
        """How many traces of the model there are of each status, as MLflow's overview asks."""
        found = self._client.get_experiment_by_name(f"{self._experiment}/{model}")
        assert found is not None
        asked = {
            "experiment_ids": [found.experiment_id],
            "view_type": "TRACES",
            "metric_name": "trace_count",
            "aggregations": [{"aggregation_type": "COUNT"}],
            "dimensions": ["trace_status"],
        }
        answer = httpx2.post(f"{self._url}/api/3.0/mlflow/traces/metrics", json=asked)
        assert answer.status_code == 200, answer.text
        points = answer.json()["data_points"]
        return {point["dimensions"]["trace_status"]: point["values"]["COUNT"] for point in points}

    def shadows(self) -> list[Any]:
        found = self._client.get_experiment_by_name(f"{self._experiment}/iris/shadow")
        assert found is not None
        return list(self._client.search_traces(locations=[found.experiment_id]))


def root_of(trace: Trace) -> Span:
    [root] = [span for span in trace.data.spans if span.parent_id is None]
    return root


@pytest.fixture
def written(mlflow_url: str, bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(mlflow_url, f"requests-{uuid.uuid4().hex}", bucket_name, monkeypatch)


def test_mlflow_takes_each_request_and_no_refusal_as_an_error(written: Written) -> None:
    assert written.undelivered == set()
    for kind, body in BODIES.items():
        trace = written.trace(kind)
        assert trace.info.state.value == "OK", kind
        assert trace.info.tags["mlflow.traceName"] == trace.info.tags["model"] == "iris"
        assert trace.info.tags.get("outcome") == (None if kind == "answered" else "refused")
        assert trace.info.tags["client_request_id"] == "order-7"
        metadata = trace.info.trace_metadata
        assert (metadata["mlflow.trace.session"], metadata["mlflow.trace.user"]) == ("session-7", "user-7")
        if written.statuses[kind] == 400:
            # The writer puts quotes around a text with so many digits, and replaces NUL.
            expected = body.replace("\0", "\N{REPLACEMENT CHARACTER}")
            assert root_of(trace).inputs in (expected, json.dumps(expected))


def test_mlflows_overview_counts_failures_alone_as_errors(written: Written) -> None:
    assert written.overview() == {"OK": len(BODIES), "ERROR": 1}
    assert written.overview("iris/shadow") == {"OK": 1}


def test_a_shadow_leads_to_its_answer_without_stretching_it(written: Written) -> None:
    answered = written.trace("answered")
    [shadow] = written.shadows()
    assert shadow.info.tags["answered_trace_id"] == answered.info.trace_id
    assert shadow.info.tags["mlflow.traceName"] == "iris"
    assert {span.name for span in answered.data.spans} == {"POST /models/{name}/predict", "validate", "iris"}
    root = root_of(answered)
    assert root.end_time_ns is not None
    assert answered.info.execution_duration == root.end_time_ns // 10**6 - root.start_time_ns // 10**6
