"""Recipes that read files, from the command line to the API's answers, against a real MLflow server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion as RegisteredVersion
from mlflow.models import Model

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.format_predictions import format_predictions
from prediction_api.inputs.batch import Record, batch_of
from tests.support.builders.training_reviews import HARD_TEXTS
from tests.support.waiting import DEADLINE_SECONDS
from training.recipes.abalone_data import sample as shells
from training.recipes.sentiment.sample import sample as reviews

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _this_server(mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)


@pytest.fixture
def client(mlflow_url: str) -> MlflowClient:
    return MlflowClient(mlflow_url)


def training(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    environ = os.environ | {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1", "LC_ALL": "C"}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
    )


def registered(client: MlflowClient, name: str, alias: str) -> tuple[RegisteredVersion, Run]:
    version = client.get_model_version_by_alias(name, alias)
    return version, client.get_run(str(version.run_id))


@dataclass(frozen=True)
class Served:
    """A version as the API runs it."""

    model: OnnxModel
    version: ModelVersion

    def predict(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        batch = batch_of(records, self.version.signature.columns)
        return [dict(one) for one in format_predictions(self.version, self.model.run(batch), batch.records)]


def served(name: str, alias: str, folder: Path) -> Served:
    """The registered version, described by what is registered with it."""
    model = Path(mlflow.artifacts.download_artifacts(f"models:/{name}@{alias}", dst_path=str(folder)))
    info = mlflow.models.get_model_info(str(model))
    assert info.signature is not None
    assert info.metadata is not None
    content = (model / "model.onnx").read_bytes()
    described: dict[str, Any] = {
        "version": "1",
        "key": f"models/{name}.onnx",
        "sha256": "0" * 64,
        "bytes": len(content),
        "signature": {"inputs": info.signature.inputs.to_dict(), "outputs": []},
        "input_example": Model.load(str(model)).load_input_example(str(model)),
        **info.metadata["offpath"],
    }
    version = ModelVersion.model_validate(described)
    return Served(OnnxModel.load(content, version), version)


def test_abalone_from_a_file(client: MlflowClient, mlflow_url: str, tmp_path: Path) -> None:
    data = shells()
    file = tmp_path / "abalone.data"
    frame = data.features.assign(rings=data.target.astype(int))
    frame.to_csv(file, index=False, header=False)
    done = training("abalone", "--data", file, "--alias", "from-file", "-p", "n_estimators=20")

    assert (done.returncode, done.stderr) == (0, "")
    version, run = registered(client, "abalone", "from-file")
    scores = {f"{part}_{score}" for part in ("train", "validation") for score in ("mse", "rmse", "mae", "r2")}
    assert scores <= run.data.metrics.keys()
    assert run.data.params == {
        "n_estimators": "20",
        "max_depth": "15",
        "min_samples_split": "10",
        "min_samples_leaf": "5",
        "random_state": "42",
        "seed": "42",
        "test_share": "0.2",
    }
    assert (run.data.tags["data.source"], run.data.tags["data.synthetic"]) == ("abalone.data", "false")
    assert run.data.tags["data.sha256"] == data.sha256
    assert str(version.description).startswith("Random forest on abalone.data; on 400 held-out rows: mse ")
    picture = mlflow.artifacts.download_artifacts(f"runs:/{version.run_id}/plots/residuals.png", dst_path=str(tmp_path))
    assert Path(picture).read_bytes().startswith(PNG)

    model = served("abalone", "from-file", tmp_path / "model")
    young, old = frame.loc[frame.rings.idxmin()], frame.loc[frame.rings.idxmax()]
    answers = model.predict([row.drop("rings").to_dict() for row in (young, old)])
    assert answers[0]["value"] + 5 < answers[1]["value"]


def test_sentiment_without_a_file_says_that_it_is_synthetic(client: MlflowClient, tmp_path: Path) -> None:
    done = training("sentiment-tfidf", "--alias", "made-up")

    assert (done.returncode, done.stderr) == (0, "")
    assert "4800 rows to train, 1200 held out (synthetic)" in done.stdout
    version, run = registered(client, "sentiment-tfidf", "made-up")
    assert run.data.tags["data.synthetic"] == "true"
    assert "SYNTHETIC data" in run.data.tags["mlflow.note.content"]
    assert "on SYNTHETIC data: sentences generated for this project" in str(version.description)
    assert "calls synthetic is of no use" in str(client.get_registered_model("sentiment-tfidf").description)
    name = f"runs:/{version.run_id}/plots/confusion_matrix.png"
    assert Path(mlflow.artifacts.download_artifacts(name, dst_path=str(tmp_path))).read_bytes().startswith(PNG)

    model = served("sentiment-tfidf", "made-up", tmp_path / "model")
    texts = ["The soup was wonderful from the start", "this novel is DREADFUL, never again", "It isn\u2019t boring"]
    assert [answer["label"] for answer in model.predict([{"text": text} for text in texts])][:2] == [
        "positive",
        "negative",
    ]
    for answer in model.predict([{"text": text} for text in HARD_TEXTS]):
        assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_sentiment_from_a_folder_of_two_files(client: MlflowClient, tmp_path: Path) -> None:
    data = reviews(600)
    for side, index in (("neg", 0), ("pos", 1)):
        lines = data.features.text[data.target == index]
        (tmp_path / f"rt-polarity.{side}").write_text("\n".join(lines))
    done = training("sentiment-tfidf", "--data", tmp_path, "--alias", "from-folder", "-p", "ngram_max=1")

    assert (done.returncode, done.stderr) == (0, "")
    version, run = registered(client, "sentiment-tfidf", "from-folder")
    assert run.data.tags["data.source"] == "rt-polarity.neg and rt-polarity.pos"
    assert (run.data.tags["data.rows"], run.data.tags["data.synthetic"]) == ("600", "false")
    assert "SYNTHETIC" not in str(version.description)


@pytest.mark.parametrize(
    ("recipe", "content", "complaint"),
    [
        ("iris", "1,2,3,4,setosa\n", "error: the recipe iris brings its own data and reads no files: leave --data out"),
        ("abalone", "M,1\n", "the first row has 2 columns ('M', '1'); expected these 9: sex, length"),
    ],
)
def test_an_unusable_file_is_told_in_one_line(tmp_path: Path, recipe: str, content: str, complaint: str) -> None:
    (tmp_path / "data.csv").write_text(content)
    done = training(recipe, "--data", tmp_path / "data.csv", "--alias", "unused")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
