"""The handler, from a real MLflow server to S3."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import onnxruntime
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

from offpath.contracts.errors import SettingsError, Transient
from offpath.contracts.model_manifest import Manifest
from offpath.contracts.names import MANIFEST_KEY
from tests.support.waiting import DEADLINE_SECONDS
from training.recipes.iris import RECIPE, IrisParameters
from training.registry.trained_model import register
from training.train_pipeline import Trained, train
from training.training_spec import AliasPlan

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

ROOT = Path(__file__).parents[2]
Handler = Callable[[dict[str, Any], None], dict[str, Any]]
CHAMPION = AliasPlan("champion")


@pytest.fixture(autouse=True)
def _own_tracking_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mlflow writes the address that it is given into the environment: it is taken out again after each test."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


def handler() -> Handler:
    """The handler as Lambda imports it: anew, with the environment of now."""
    sys.modules.pop("model_sync.handler", None)
    found: Handler = importlib.import_module("model_sync.handler").handler
    return found


@pytest.fixture(scope="module")
def iris() -> Trained:
    """An iris model under a name of its own: the tests share one MLflow."""
    recipe = replace(RECIPE, name=f"iris-{uuid.uuid4().hex[:8]}")
    return train(recipe, IrisParameters(), 42)


@pytest.fixture
def sync(mlflow_url: str, bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> Handler:
    monkeypatch.setenv("OFFPATH_BUCKET", bucket_name)
    monkeypatch.setenv("OFFPATH_MLFLOW_URL", mlflow_url)
    return handler()


@pytest.fixture
def sync_without_mlflow(sync: Handler, nowhere: str, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The handler of the same bucket, started where no MLflow answers."""
    monkeypatch.setenv("OFFPATH_MLFLOW_URL", nowhere)
    return handler()


@dataclass(frozen=True)
class Published:
    """Reads what the sync has put into the bucket."""

    s3: S3Client
    bucket: str

    def manifest(self) -> Manifest:
        return Manifest.parse(self.content(MANIFEST_KEY))

    def content(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def objects(self) -> list[Any]:
        """Every object with its entity tag and time."""
        return list(self.s3.list_objects_v2(Bucket=self.bucket)["Contents"])


@pytest.fixture
def published(s3: S3Client, bucket_name: str) -> Published:
    return Published(s3, bucket_name)


def test_a_trained_model_is_published(iris: Trained, sync: Handler, published: Published, mlflow_url: str) -> None:
    registered = register(iris, mlflow_url, CHAMPION)

    answer = sync({}, None)

    model = published.manifest().models[iris.recipe.name]
    champion = model.aliases["champion"]
    content = published.content(champion.key)
    assert answer["changed"]
    assert answer["models"][iris.recipe.name] == {"champion": registered.version}
    assert hashlib.sha256(content).hexdigest() == champion.sha256
    assert onnxruntime.InferenceSession(content).get_inputs()[0].name == "inputs"
    assert champion.labels == iris.recipe.labels
    assert [column.name for column in champion.signature.inputs] == iris.recipe.column_names
    assert champion.input_example == iris.example
    assert model.description.startswith(iris.recipe.description)


def test_nothing_new_writes_nothing(iris: Trained, sync: Handler, published: Published, mlflow_url: str) -> None:
    register(iris, mlflow_url, CHAMPION)
    sync({}, None)
    before = published.objects()
    assert not sync({}, None)["changed"]
    assert published.objects() == before


def test_new_version_takes_the_alias_and_keeps_old_file(
    iris: Trained, sync: Handler, published: Published, mlflow_url: str
) -> None:
    name = iris.recipe.name
    register(iris, mlflow_url, CHAMPION)
    sync({}, None)
    old = published.manifest().models[name].aliases["champion"]
    stronger = train(iris.recipe, IrisParameters(c=5), 42)
    registered = register(stronger, mlflow_url, CHAMPION)

    assert sync({}, None)["models"][name] == {"champion": registered.version}

    assert published.manifest().models[name].aliases["champion"].key != old.key
    assert len(published.content(old.key)) == old.bytes


def test_what_cannot_be_served_is_named_with_the_reason(iris: Trained, sync: Handler, mlflow_url: str) -> None:
    register(iris, mlflow_url, CHAMPION)
    suffix = uuid.uuid4().hex[:8]
    client = MlflowClient(mlflow_url)
    mlflow.set_tracking_uri(mlflow_url)
    mlflow.set_experiment("unservable")
    with mlflow.start_run() as run:
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=f"pickled-{suffix}",
            pip_requirements=[],
            serialization_format="skops",
        )
    client.set_registered_model_alias(f"pickled-{suffix}", "champion", "1")
    client.create_registered_model(f"hollow-{suffix}")
    client.create_model_version(f"hollow-{suffix}", f"{run.info.artifact_uri}/nothing", run_id=run.info.run_id)
    client.set_registered_model_alias(f"hollow-{suffix}", "champion", "1")
    client.create_registered_model(f"draft-{suffix}")

    answer = sync({}, None)

    assert "champion" in answer["models"][iris.recipe.name]
    assert "version 1: it has no onnx flavor" in answer["skipped"][f"pickled-{suffix}@champion"]
    assert "MLflow answered 404" in answer["skipped"][f"hollow-{suffix}@champion"]
    assert "it has no alias" in answer["skipped"][f"draft-{suffix}"]


def test_mlflow_down_leaves_the_manifest_as_it_is(
    iris: Trained, sync: Handler, sync_without_mlflow: Handler, published: Published, mlflow_url: str
) -> None:
    register(iris, mlflow_url, CHAMPION)
    sync({}, None)
    before = published.objects()
    with pytest.raises(Transient, match="no answer from MLflow"):
        sync_without_mlflow({}, None)
    assert published.objects() == before


def test_the_log_says_what_was_published_and_what_not(mlflow_url: str, bucket_name: str) -> None:
    draft = f"draft-{uuid.uuid4().hex[:8]}"
    MlflowClient(mlflow_url).create_registered_model(draft)
    settings = {"OFFPATH_BUCKET": bucket_name, "OFFPATH_MLFLOW_URL": mlflow_url}
    script = "from model_sync.handler import handler; handler({}, None)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_SECONDS,
    )
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert entries[-1]["message"] == "published"
    assert [entry["reason"] for entry in entries if entry.get("model") == draft] == [
        "it has no alias: give one to a version, for example champion"
    ]


def test_prompts_are_no_models(sync: Handler, mlflow_url: str) -> None:
    mlflow.set_tracking_uri(mlflow_url)
    prompt = f"prompt-{uuid.uuid4().hex[:8]}"
    mlflow.genai.register_prompt(prompt, "Say {{word}}.")
    MlflowClient(mlflow_url).set_prompt_alias(prompt, "champion", 1)
    answer = sync({}, None)
    assert not [what for what in [*answer["models"], *answer["skipped"]] if what.startswith(prompt)]


def test_settings_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFPATH_MLFLOW_TIMEOUT_SECONDS", "0")
    monkeypatch.setenv("OFFPATH_MLFLOW_PASSWORD", "hunter2")
    with pytest.raises(SettingsError) as refusal:
        handler()
    said = str(refusal.value)
    assert "OFFPATH_BUCKET is not set" in said
    assert "OFFPATH_MLFLOW_URL is not set" in said
    assert "OFFPATH_MLFLOW_TIMEOUT_SECONDS='0': input should be greater than 0" in said
    assert "hunter2" not in said
