"""A team's own models, from their log in a real MLflow server by `offpath register` to the API's answers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import mlflow
import numpy as np
import onnxruntime
import pytest
import xgboost
from fastapi.testclient import TestClient
from mlflow import MlflowClient
from mlflow.models import Model
from sklearn.linear_model import LinearRegression
from typer.testing import CliRunner, Result

from local.testbed.models import IRIS_LABELS, SETOSA, iris_graph, sum_onnx
from offpath.contracts.model_manifest import Manifest
from offpath.contracts.names import MANIFEST_KEY
from offpath_cli.app import app
from tests.support.builders import own_models  # skips all of this where LightGBM is not whole
from tests.support.waiting import DEADLINE_SECONDS

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

lightgbm: Any = import_module("lightgbm")
ROOT = Path(__file__).parents[2]
Answers = list[dict[str, Any]]


@pytest.fixture(autouse=True, scope="module")
def _this_server(mlflow_url: str) -> Iterator[None]:
    """Mlflow writes the address that it is given into the environment: it is taken out again at the end."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", mlflow_url)
        mlflow.set_tracking_uri(mlflow_url)
        yield


def unique(name: str) -> str:
    """The tests share one MLflow."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def offpath(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["register", *arguments], env={"COLUMNS": "300"})


def logged(flavor: str, native: Any, example: Any, **options: Any) -> str:
    """The address of a model that was logged as a team would log it."""
    mlflow.set_experiment("own-models")
    with warnings.catch_warnings(), mlflow.start_run():
        warnings.simplefilter("ignore")
        found: str = (
            getattr(mlflow, flavor)
            .log_model(native, name="model", input_example=example, pip_requirements=[], **options)
            .model_uri
        )
    return found


@dataclass(frozen=True)
class Case:
    """A model to bring: what it is logged with, a request to the API, and what the original says."""

    flavor: str
    native: Any
    rows: Any
    options: dict[str, Any]
    arguments: tuple[str, ...] = ()

    @property
    def inputs(self) -> Any:
        return self.rows.tolist() if isinstance(self.rows, np.ndarray) else self.rows.to_dict("records")


def cases() -> dict[str, Case]:
    measures, _ = own_models.flowers()
    spend, pickled = own_models.customers().spend, {"serialization_format": "cloudpickle"}
    trees = {"skops_trusted_types": ["sklearn.tree._tree.Tree"]}
    matrix = own_models.numbers().to_numpy()
    estimators = own_models.estimators()
    few = slice(0, 20)
    return {
        "churn": Case("sklearn", own_models.churn(), own_models.customers()[few], trees),
        "spend": Case("sklearn", LinearRegression().fit(matrix, spend), matrix[few], {}),
        "boosted-churn": Case("sklearn", own_models.boosted_churn(), own_models.customers()[few], pickled),
        "xgboost": Case("xgboost", estimators["XGBClassifier"][1], measures[few], {}),
        "xgboost-booster": Case(
            "xgboost", estimators["xgboost multi:softprob"][1], measures[few], {}, ("--labels", ",".join(IRIS_LABELS))
        ),
        "lightgbm": Case("lightgbm", estimators["LGBMRegressor"][1], own_models.numbers()[few], {}),
        "onnx": Case("onnx", iris_graph(), measures[few], {}, ("--labels", ",".join(IRIS_LABELS))),
        "lightgbm-booster": Case("lightgbm", estimators["lightgbm binary"][1], measures[few], {}),
    }


CASES = ("churn", "spend", "boosted-churn", "xgboost", "xgboost-booster", "lightgbm", "lightgbm-booster", "onnx")


@dataclass(frozen=True)
class Served:
    """Registered models behind the API. names: by case."""

    names: dict[str, str]
    client: TestClient
    manifest: Manifest
    skipped: dict[str, str]

    def predictions(self, case: str, inputs: Any) -> Answers:
        answer = self.client.post(f"/models/{self.names[case]}/predict", json={"inputs": inputs})
        assert answer.status_code == 200, answer.text
        found: Answers = answer.json()["predictions"]
        return found


@pytest.fixture(scope="module")
def served(moto_url: str, mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Every case registered, published by the sync's handler and served by the API's."""
    names = {case: unique(case) for case in (*CASES, "file")}
    for case, model in cases().items():
        uri = logged(model.flavor, model.native, model.rows, **model.options)
        done = offpath(uri, "--name", names[case], *model.arguments)
        assert done.exit_code == 0, done.output
    file = tmp_path_factory.mktemp("onnx") / "sum.onnx"
    file.write_bytes(sum_onnx())
    done = offpath(str(file), "--name", names["file"], "--task", "regression")
    assert done.exit_code == 0, done.output
    bucket, queue = unique("bucket"), unique("queue")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", moto_url)
        boto3.client("s3").create_bucket(Bucket=bucket)
        queue_url = boto3.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
        environment.setenv("OFFPATH_BUCKET", bucket)
        environment.setenv("OFFPATH_QUEUE_URL", queue_url)
        environment.setenv("OFFPATH_MLFLOW_URL", mlflow_url)
        sys.modules.pop("model_sync.handler", None)
        report = importlib.import_module("model_sync.handler").handler({}, None)
        manifest = Manifest.parse(boto3.client("s3").get_object(Bucket=bucket, Key=MANIFEST_KEY)["Body"].read())
        composed = importlib.import_module("prediction_api.handler")
        with TestClient(composed.app) as client:
            yield Served(names, client, manifest, report["skipped"])
        sys.modules.pop("prediction_api.handler").tracing.shutdown()


def expected(case: Case) -> Any:
    """Probabilities, or values, by the original's own library."""
    native, rows = case.native, case.rows
    match case.flavor:
        case "onnx":
            session = onnxruntime.InferenceSession(native.SerializeToString())
            return session.run(["probabilities"], {"features": rows.to_numpy(np.float32)})[0]
        case "xgboost" if isinstance(native, xgboost.Booster):
            return native.predict(xgboost.DMatrix(rows))
        case "lightgbm" if isinstance(native, lightgbm.Booster):
            positive: Any = native.predict(rows)
            return np.stack([1 - positive, positive], axis=1)
        case _ if hasattr(native, "predict_proba"):
            return native.predict_proba(rows)
        case _:
            return native.predict(rows)


@pytest.mark.parametrize("name", CASES)
def test_a_registered_model_answers_as_the_original(served: Served, name: str) -> None:
    case = cases()[name]
    answers = served.predictions(name, case.inputs)
    given = [list(answer.get("probabilities", answer).values()) for answer in answers]
    wanted = np.asarray(expected(case)).reshape(len(case.rows), -1)
    assert np.allclose(given, wanted, rtol=1e-5, atol=1e-5)


def test_labels_are_the_classes_names(served: Served) -> None:
    answers = served.predictions("churn", cases()["churn"].inputs)
    assert [answer["label"] for answer in answers] == own_models.churn().predict(cases()["churn"].rows).tolist()
    [answer] = served.predictions("xgboost-booster", SETOSA)
    assert answer["label"] == "setosa"


def test_a_file_answers(served: Served) -> None:
    assert served.predictions("file", {"a": 1, "b": 2}) == [{"value": 3.0}]


def test_the_first_record_of_the_example_is_published(served: Served) -> None:
    champion = served.manifest.models[served.names["churn"]].aliases["champion"]
    assert champion.input_example == cases()["churn"].inputs[0]
    assert [column.type for column in champion.signature.columns] == ["string", "string", "long", "double", "boolean"]


def test_a_version_tells_where_it_comes_from(served: Served, mlflow_url: str) -> None:
    client = MlflowClient(mlflow_url)
    version = client.get_model_version_by_alias(served.names["boosted-churn"], "champion")
    run = client.get_run(str(version.run_id))
    assert "Its ONNX form agrees on 3,000 record(s): largest difference " in str(version.description)
    assert client.get_experiment(run.info.experiment_id).name == f"registered/{version.name}"
    assert (run.data.params["flavor"], run.data.params["compared_records"]) == ("sklearn", "3000")
    assert int(run.data.params["compared_seed"]) >= 0
    assert run.data.params["source"].startswith("models:/m-")
    assert run.data.metrics.keys() == {"onnx_bytes", "onnx_largest_difference"}
    assert {"version.scikit-learn", "version.skl2onnx", "version.onnxruntime"} <= run.data.tags.keys()


def test_the_command_registers_what_a_registry_holds_under_an_alias(mlflow_url: str, tmp_path: Path) -> None:
    name, challenger = unique("spend"), unique("challenger")
    client = MlflowClient(mlflow_url)
    spend = cases()["spend"]
    logged("sklearn", spend.native, spend.rows, registered_model_name=name)
    client.set_registered_model_alias(name, challenger, "1")
    command = [str(ROOT / "cli" / "offpath"), "register", f"models:/{name}@{challenger}", "--name", name]
    command += ["--tracking-uri", f"{mlflow_url}/", "--description", "What a customer spends"]
    environ = os.environ | {"NO_COLOR": "1", "TERM": "dumb"}
    (tmp_path / "training").mkdir()  # a folder of the team's own, which must not stand in for this project's

    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "LinearRegression (sklearn): regression" in done.stdout
    assert "answers as the original does on 3,000 records" in done.stdout
    assert f"{name} version 2 is champion" in done.stdout
    version = client.get_model_version_by_alias(name, "champion")
    assert (version.version, str(version.description).split(".")[0]) == ("2", "What a customer spends")


def test_what_was_registered_can_be_registered_again(served: Served) -> None:
    again = unique("again")
    done = offpath(f"models:/{served.names['churn']}/1", "--name", again)
    assert done.exit_code == 0, done.output
    assert "ONNX graph: classification of leaves, stays" in done.output
    assert "answers 5 record(s) of the input example, compared with nothing" in done.output


def echo(rows: list[str]) -> list[str]:
    """A model that is Python code and nothing else."""
    return rows


def untouched(mlflow_url: str, name: str) -> bool:
    return not MlflowClient(mlflow_url).search_registered_models(f"name = '{name}'")


def test_a_model_of_python_code_alone_is_named(mlflow_url: str) -> None:
    mlflow.set_experiment("own-models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        uri = mlflow.pyfunc.log_model(name="model", python_model=echo, pip_requirements=[]).model_uri
    done = offpath(uri, "--name", (name := unique("echo")))
    assert done.exit_code == 1
    assert (
        "logged in the flavor python_function (loaded by mlflow.pyfunc.model), which cannot be converted" in done.output
    )
    assert "supported are lightgbm, onnx, sklearn, xgboost" in done.output
    assert untouched(mlflow_url, name)


def test_a_flavor_that_is_not_supported_is_named(tmp_path: Path) -> None:
    Model(flavors={"catboost": {"data": "model.cb"}, "python_function": {}}).save(str(tmp_path / "MLmodel"))
    done = offpath(str(tmp_path), "--name", "cat")
    assert done.exit_code == 1
    assert "error: it was logged in the flavor catboost, which cannot be converted" in done.output


def test_a_step_without_converter_is_named_and_the_alias_stays(served: Served, mlflow_url: str) -> None:
    uri = logged("sklearn", own_models.unwritten(), own_models.numbers(), serialization_format="cloudpickle")
    done = offpath(uri, "--name", (name := served.names["spend"]))
    assert done.exit_code == 1
    assert "there is no converter to ONNX for sklearn.neural_network._rbm.BernoulliRBM" in done.output
    client = MlflowClient(mlflow_url)
    assert client.get_model_version_by_alias(name, "champion").version == "1"
    assert [version.version for version in client.search_model_versions(f"name = '{name}'")] == ["1"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("models:/nobody/1", "has no model models:/nobody/1: RESOURCE_DOES_NOT_EXIST"),
        ("models:/nobody@champion", "has no model models:/nobody@champion"),
        ("models:/m-0123456789", "has no model models:/m-0123456789"),
        ("runs:/0123456789/model", "has no model runs:/0123456789/model: RESOURCE_DOES_NOT_EXIST"),
    ],
)
def test_a_model_that_mlflow_does_not_have(source: str, complaint: str) -> None:
    done = offpath(source, "--name", "nobody")
    assert done.exit_code == 1
    assert complaint in done.output


def test_a_server_that_is_not_there(tmp_path: Path, nowhere: str) -> None:
    (tmp_path / "sum.onnx").write_bytes(sum_onnx())
    done = offpath(str(tmp_path / "sum.onnx"), "--name", "sum", "--task", "regression", "--tracking-uri", nowhere)
    assert done.exit_code == 1
    assert f"no MLflow server answers at {nowhere}" in done.output
