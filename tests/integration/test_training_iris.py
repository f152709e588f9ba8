"""Training on a command line, against a real MLflow server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from offpath.contracts.promotion import Promotion
from tests.support.builders.training_recipes import PARCELS
from tests.support.waiting import DEADLINE_SECONDS
from training.callbacks import Callbacks
from training.promotion import IfBetter, NotWorse
from training.recipe import Recipe, TrainingError
from training.recipes.catalog import NAMES, find_recipe
from training.registry.trained_model import register
from training.train_pipeline import train
from training.training_spec import AliasPlan

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

CHAMPION = AliasPlan("champion")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _own_tracking_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mlflow writes the address that it is given into the environment: it is taken out again after each test."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


def training(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *arguments]
    environ = os.environ | {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"} | environment
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
    )


def offpath(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "offpath_cli", *arguments]
    environ = os.environ | {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"} | environment
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def aliases(client: MlflowClient, name: str) -> dict[str, str]:
    try:
        return dict(client.get_registered_model(name).aliases)
    except MlflowException:
        return {}


@pytest.fixture
def client(mlflow_url: str) -> MlflowClient:
    return MlflowClient(mlflow_url)


@pytest.fixture
def parcels() -> Recipe[Any]:
    """The recipe under a name of its own: the tests share one MLflow."""
    return replace(PARCELS, name=f"parcels-{uuid.uuid4().hex[:8]}")


def test_the_command_line_registers_iris_with_an_alias(mlflow_url: str, client: MlflowClient) -> None:
    done = training(
        "iris", "--seed", "4", "-p", "c=2", "--alias", "by-hand", "--wait", "5", MLFLOW_TRACKING_URI=mlflow_url
    )

    assert (done.returncode, done.stderr) == (0, "")
    version = client.get_model_version_by_alias("iris", "by-hand")
    assert f"iris version {version.version} is by-hand" in done.stdout
    assert f"{mlflow_url}/#/models/iris/versions/{version.version}" in done.stdout
    assert f"/runs/{version.run_id}" in done.stdout
    assert "held-out rows: accuracy " in str(version.description)
    assert "`petal_width`: width of the petal in cm" in str(client.get_registered_model("iris").description)


def test_a_run_tells_how_the_model_came_about(mlflow_url: str, client: MlflowClient) -> None:
    training("iris", "--seed", "4", "-p", "c=2", "--alias", "told", "--tracking-uri", f"{mlflow_url}/")

    run = client.get_run(str(client.get_model_version_by_alias("iris", "told").run_id))
    assert client.get_experiment(run.info.experiment_id).name == "training/iris"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"c": "2.0", "max_iter": "200", "seed": "4", "test_share": "0.2"}
    scores = {"accuracy", "precision", "recall", "f1"}
    of_both_parts = {f"{part}_{score}" for part in ("train", "validation") for score in scores}
    assert run.data.metrics.keys() == of_both_parts | {"onnx_bytes", "onnx_largest_difference"}
    assert (run.data.tags["data.rows"], run.data.tags["data.source"]) == ("150", "sklearn.datasets.load_iris")
    assert (len(run.data.tags["data.sha256"]), run.data.tags["data.bytes"]) == (64, "2758")
    assert run.data.tags["data.synthetic"] == "false"
    assert {"version.python", "version.scikit-learn", "version.onnx"} <= run.data.tags.keys()
    assert [entry.path for entry in client.list_artifacts(run.info.run_id, "plots")] == ["plots/confusion_matrix.png"]


def test_a_regression_is_registered_with_its_signature(
    parcels: Recipe[Any], mlflow_url: str, client: MlflowClient
) -> None:
    registered = register(train(parcels, parcels.parameters(), 1), mlflow_url, CHAMPION)

    assert (registered.version, client.get_model_version_by_alias(parcels.name, "champion").version) == ("1", "1")
    info = mlflow.models.get_model_info(f"models:/{parcels.name}@champion")
    assert info.signature is not None
    assert [(column.name, column.type.name) for column in info.signature.inputs] == [
        ("zone", "string"),
        ("weight", "double"),
    ]
    limits = {"weight": {"missing": False}, "zone": {"values": ["a", "b", "c"], "missing": False}}
    assert info.metadata == {"offpath": {"task": "regression", "labels": [], "limits": limits}}


def test_a_champion_of_other_rows_is_measured_on_the_same(
    parcels: Recipe[Any], mlflow_url: str, client: MlflowClient
) -> None:
    rule = IfBetter(Promotion(metric="validation_rmse"))
    register(train(parcels, parcels.parameters(), 1), mlflow_url, CHAMPION)
    lines: list[str] = []
    registered = register(
        train(parcels, parcels.parameters(), 2), mlflow_url, AliasPlan(rule=rule), Callbacks(lines.append)
    )
    verdict = registered.verdict
    assert verdict is not None
    assert verdict.comparable, verdict.reason
    assert "measured the champion, version 1, on the same" in "".join(lines)
    assert client.get_model_version_by_alias(parcels.name, "champion").version == ("2" if verdict.promoted else "1")


def test_a_champion_of_another_kind_stays_with_the_reason(
    parcels: Recipe[Any], mlflow_url: str, client: MlflowClient
) -> None:
    other = replace(find_recipe("iris"), name=parcels.name)
    register(train(other, other.parameters(), 1), mlflow_url, CHAMPION)
    lines: list[str] = []
    rule = NotWorse("validation_rmse")
    registered = register(
        train(parcels, parcels.parameters(), 2), mlflow_url, AliasPlan(rule=rule), Callbacks(lines.append)
    )
    assert registered.alias is None
    assert "cannot be asked about the same rows" in "".join(lines)
    assert client.get_model_version_by_alias(parcels.name, "champion").version == "1"


def test_a_worse_version_is_registered_and_moves_nothing(mlflow_url: str, client: MlflowClient) -> None:
    if "champion" not in aliases(client, "iris"):
        assert "is champion" in training("iris", MLFLOW_TRACKING_URI=mlflow_url).stdout
    before = aliases(client, "iris")["champion"]

    done = training("iris", "-p", "c=0.0001", MLFLOW_TRACKING_URI=mlflow_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"is registered; champion stays version {before}" in done.stdout
    assert "of the champion, version" in done.stdout
    assert aliases(client, "iris")["champion"] == before
    [number] = re.findall(r"promote iris (\d+)", done.stdout)

    assert offpath("promote", "iris", number, MLFLOW_TRACKING_URI=mlflow_url).returncode == 0
    assert str(aliases(client, "iris")["champion"]) == number
    assert f"iris version {before} is champion" in offpath("rollback", "iris", MLFLOW_TRACKING_URI=mlflow_url).stdout
    assert aliases(client, "iris")["champion"] == before


def test_a_promotion_that_is_told_names_the_way_back(mlflow_url: str, client: MlflowClient) -> None:
    for _ in range(2):
        done = training("iris", "-p", "c=0.001", "--promote", MLFLOW_TRACKING_URI=mlflow_url)
        assert "is champion" in done.stdout
    assert "rollback iris" in done.stdout


def test_a_second_version_leaves_a_description_that_somebody_wrote(
    parcels: Recipe[Any], mlflow_url: str, client: MlflowClient
) -> None:
    trained = train(parcels, parcels.parameters(), 1)
    register(trained, mlflow_url, CHAMPION)
    client.update_registered_model(parcels.name, "Ask Ada before you change this.")
    assert register(trained, mlflow_url, CHAMPION).version == "2"
    assert client.get_registered_model(parcels.name).description == "Ask Ada before you change this."


def test_what_mlflow_refuses_is_not_half_registered(mlflow_url: str, client: MlflowClient) -> None:
    trained = train(replace(PARCELS, name="parcels/refused"), PARCELS.parameters(), 1)
    with pytest.raises(TrainingError, match=f"MLflow at {mlflow_url} did not take the model: .*parcels/refused"):
        register(trained, mlflow_url, CHAMPION)
    assert not client.search_registered_models("name LIKE '%refused%'")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["iris"], "no MLflow server answers at http://127.0.0.1:{port}"),
        (["iris", "--wait", "0.1"], "no MLflow server answers at http://127.0.0.1:{port}"),
        (["abalon"], "error: there is no recipe 'abalon'; there is: iris, abalone, sentiment-tfidf, sentiment-bert"),
        (["iris", "--alias", "v1"], "error: alias 'v1'"),
        (["iris", "--alias", "blue", "--promote"], "error: --promote moves champion, --alias 'blue' another alias"),
        (["iris", "--promote", "--if-better", "validation_f1"], "error: --promote and --if-better"),
        (["iris", "--if-better", "accuracy"], "the metrics are validation_accuracy, validation_precision"),
        (["iris", "--if-better", "validation_f1:-1"], "the margin is a number from 0"),
        (["iris", "--if-better", "validation_f1:nan"], "the margin is a number from 0"),
        (["iris", "--data", "gone.csv"], "error: no such file or folder: gone.csv"),
        (["iris", "--tracking-uri", "databricks"], "error: tracking URI 'databricks': expected the http"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: list[str], complaint: str, nowhere: str) -> None:
    port = nowhere.rpartition(":")[2]
    done = training(*arguments, OFFPATH_MLFLOW_PORT=port)
    assert done.returncode == 1
    assert complaint.format(port=port) in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_is_not_mlflow_is_refused(moto_url: str) -> None:
    done = training("iris", "--tracking-uri", f"{moto_url}/nothing/here")
    assert done.returncode == 1
    assert "(HTTP status " in done.stderr


def test_help_names_the_recipes() -> None:
    done = training("--help")
    assert done.returncode == 0
    assert f"The recipe: {', '.join(NAMES)}." in done.stdout
