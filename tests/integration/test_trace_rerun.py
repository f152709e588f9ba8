"""`offpath trace rerun`: a prediction that the API traced is made again from what MLflow keeps."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import offpath
from local.testbed.models import SETOSA, VIRGINICA, Model, iris_onnx
from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.publisher import ModelPublisher
from offpath.contracts.model_manifest import Manifest
from offpath.contracts.names import model_file_key
from offpath.mlflow.http import MlflowHttp
from offpath.testing import InMemoryBucket, RecordingTracing
from offpath_cli.app import app
from tests.support.builders.api import Api
from tests.support.builders.trace_events import inline_message
from tests.support.servers.trace_writer_lambda import WriterFunction
from training.recipes.catalog import find_recipe
from training.registry.trained_model import register
from training.train_pipeline import train
from training.training_spec import AliasPlan

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

CSV = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3\n"


@pytest.fixture(scope="module")
def registered(mlflow_url: str) -> Model:
    """An iris model, registered under a name of its own, as the sync publishes it."""
    recipe = replace(find_recipe("iris"), name=f"iris-{uuid.uuid4().hex[:8]}")
    register(train(recipe, recipe.parameters(), 1), mlflow_url, AliasPlan("champion"))
    registry, files = MlflowRegistry(MlflowHttp(mlflow_url)), InMemoryBucket()
    version = ModelPublisher(registry, files, 2**30).publish(registry.version(recipe.name, "1"), Manifest())
    return Model(recipe.name, files.objects[version.key], version.model_copy(update={"weight": 100}))


class Stored:
    """An API over one model, whose traces go to MLflow."""

    def __init__(self, model: Model, writer: WriterFunction) -> None:
        self.api = Api(models=[model], experiment=f"rerun-{uuid.uuid4().hex}")
        self._model = model
        self._writer = writer

    def trace_id(self, route: str, body: str, content_type: str = "application/json") -> str:
        """Send a request, store its trace, and return its id."""
        headers = {"content-type": content_type}
        answer = self.api.client.post(f"/models/{self._model.name}/{route}", content=body, headers=headers)
        assert self._writer.invoke({"0": inline_message(self.api.traced.events[-1])}) == set()
        return str(answer.headers["x-trace-id"])


@pytest.fixture
def writer(bucket_name: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> WriterFunction:
    return WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=mlflow_url)


def rerun(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["trace", "rerun", *arguments])


REQUESTS = {
    "records": ("predict", json.dumps({"inputs": [SETOSA, VIRGINICA]})),
    "one record": ("predict", json.dumps(SETOSA)),
    "scoring": ("invocations", json.dumps({"dataframe_records": [SETOSA, VIRGINICA]})),
    "csv": ("invocations", CSV, "text/csv"),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_prediction_is_reproduced(
    registered: Model, writer: WriterFunction, mlflow_url: str, request_: tuple[str, str]
) -> None:
    trace_id = Stored(registered, writer).trace_id(*request_)
    done = rerun(trace_id, "--tracking-uri", mlflow_url)
    assert done.exit_code == 0, done.output
    assert f"{registered.name} version 1 answers the same" in done.output


def test_an_answer_of_other_files_is_told(registered: Model, writer: WriterFunction, mlflow_url: str) -> None:
    other = Model(registered.name, iris_onnx(0.001), registered.version)
    trace_id = Stored(_served_as(other), writer).trace_id("predict", json.dumps({"inputs": [VIRGINICA]}))
    done = rerun(trace_id, "--tracking-uri", mlflow_url)
    assert done.exit_code == 1
    assert f"{registered.name} version 1 answers otherwise" in done.output
    assert "[0].probabilities.virginica: " in done.output

    document: dict[str, Any] = json.loads(rerun(trace_id, "--tracking-uri", mlflow_url, "--json").stdout)
    assert document["version"] == "1"
    assert document["before"] != document["now"]
    assert any(one["path"] == "[0].probabilities.virginica" for one in document["differences"])


def test_a_refused_request_cannot_be_made_again(registered: Model, writer: WriterFunction, mlflow_url: str) -> None:
    trace_id = Stored(registered, writer).trace_id("predict", "{}")
    done = rerun(trace_id, "--tracking-uri", mlflow_url)
    assert done.exit_code == 1
    assert f"{trace_id} was refused: there is no prediction to make again" in done.output


def test_a_version_that_is_gone_is_told(registered: Model, writer: WriterFunction, mlflow_url: str) -> None:
    gone = Model(registered.name, registered.content, registered.version.model_copy(update={"number": "77"}))
    done = rerun(Stored(gone, writer).trace_id("predict", json.dumps(SETOSA)), "--tracking-uri", mlflow_url)
    assert done.exit_code == 1
    assert f"models:/{registered.name}/77 cannot be asked again" in done.output


def test_an_unknown_trace_is_told(mlflow_url: str) -> None:
    done = rerun("tr-" + "0" * 32, "--tracking-uri", mlflow_url)
    assert done.exit_code == 1
    assert "has no trace tr-000" in done.output


def test_a_trace_of_something_else_is_told(writer: WriterFunction, mlflow_url: str) -> None:
    with RecordingTracing() as tracing, offpath.traced("something"):
        pass
    [event] = tracing.events
    assert writer.invoke({"0": inline_message(event)}) == set()
    done = rerun(str(event.mlflow_trace_id), "--tracking-uri", mlflow_url)
    assert done.exit_code == 1
    assert "is no trace of a prediction by the API" in done.output


def _served_as(model: Model) -> Model:
    """Return a model whose entry names its own file."""
    digest = hashlib.sha256(model.content).hexdigest()
    changes = {"key": model_file_key(digest), "sha256": digest, "bytes": len(model.content)}
    return Model(model.name, model.content, model.version.model_copy(update=changes))
