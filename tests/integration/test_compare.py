"""`offpath compare` over what the API traced, the writer wrote, and a real MLflow and S3 keep."""

import json
import uuid
from typing import Any

import pytest
from typer.testing import CliRunner

from local.testbed.models import SETOSA, VIRGINICA, iris_version
from offpath.contracts.message import Message
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from offpath_cli.app import app
from tests.support.builders.api import Api
from tests.support.builders.trace_events import inline_message
from tests.support.golden import golden_message
from tests.support.servers.trace_writer_lambda import WriterFunction


@pytest.fixture
def experiment() -> str:
    return f"compare-{uuid.uuid4().hex}"


@pytest.fixture
def predicted(experiment: str, bucket_name: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three answers of the champion and one of the challenger, which also follows the champion; one was refused."""
    api = Api(experiment=experiment)
    challenger = iris_version("2", weight=10, shadow=True, labels=("versicolor", "setosa", "virginica"))
    aliases = {"champion": iris_version(weight=90), "challenger": challenger}
    api.store.publish(Manifest(models={"iris": RegisteredModel(aliases=aliases)}))
    api.now += 60
    api.loader.refresh_when_due()
    for query, records in [("champion", [SETOSA, SETOSA]), ("champion", [VIRGINICA]), ("challenger", [SETOSA])]:
        api.client.post(f"/models/iris/predict?alias={query}", json={"inputs": records})
    api.client.post("/models/iris/predict?alias=champion", json={"inputs": [{}]})
    api.traced.run_periodic_tasks()
    writer = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=mlflow_url)
    assert writer.invoke({str(index): inline_message(event) for index, event in enumerate(api.traced.events)}) == set()


def compared(*options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["compare", "iris", "--json", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("predicted")
def test_versions_are_compared_alike_from_mlflow_and_from_the_archive(
    experiment: str, bucket_name: str, mlflow_url: str
) -> None:
    from_mlflow = compared("--tracking-uri", mlflow_url, "--experiment", experiment)
    from_archive = compared("--from", "archive", "--bucket", bucket_name, "--since", "1h")

    champion, challenger, shadow = from_mlflow
    assert (champion["alias"], champion["version"], champion["requests"], champion["errors"]) == ("champion", "1", 3, 1)
    assert champion["labels"] == {"setosa": 2 / 3, "virginica": 1 / 3}
    assert (challenger["alias"], challenger["requests"], challenger["errors"]) == ("challenger", 1, 0)
    assert (shadow["is_shadow"], shadow["version"], shadow["requests"], shadow["records"]) == (True, "2", 2, 3)
    assert shadow["agreement"] == pytest.approx(1 / 3), "it calls setosa another name"
    for one, other in zip(from_mlflow, from_archive, strict=True):
        assert without_times(one) == without_times(other)
        assert one["model_ms"] == pytest.approx(other["model_ms"], abs=1e-3)


def without_times(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if not name.endswith("_ms")}


@pytest.mark.usefixtures("predicted")
def test_shadows_are_those_of_the_answers_that_are_read(experiment: str, mlflow_url: str) -> None:
    # Newest first: the refused request, the challenger's own answer, and an answer that has a shadow.
    options = ["--tracking-uri", mlflow_url, "--experiment", experiment]
    followed = [
        sum(one["requests"] for one in compared(*options, "--limit", str(limit)) if one["is_shadow"])
        for limit in (2, 3, 4)
    ]
    assert followed == [0, 1, 2]


def test_traces_of_version_0_1_0_are_compared(
    experiment: str, bucket_name: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [golden_message(f"otlp-json/1/{name}.json") for name in ("predicted", "refused", "shadow")]
    messages = [Message(one.body, {**one.attributes, "experiment": f"{experiment}/iris"}) for one in old]
    writer = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=mlflow_url)
    assert writer.invoke({str(index): message for index, message in enumerate(messages)}) == set()
    champion, shadow = compared("--tracking-uri", mlflow_url, "--experiment", experiment, "--since", "9999d")
    assert (champion["is_shadow"], champion["requests"], champion["errors"]) == (False, 2, 1)
    assert (shadow["is_shadow"], shadow["requests"], shadow["records"]) == (True, 1, champion["records"])
    assert shadow["agreement"] is not None


@pytest.mark.usefixtures("predicted")
def test_the_table_names_versions_and_figures(experiment: str, mlflow_url: str) -> None:
    options = ["--tracking-uri", mlflow_url, "--experiment", experiment]
    result = CliRunner().invoke(app, ["compare", "iris", *options], catch_exceptions=False)
    assert "iris: 4 traces of the last 24h" in result.stdout
    for text in ("champion", "challenger", "shadow", "agrees with the answer", "33.33%", "predicted setosa"):
        assert text in result.stdout


def test_a_model_that_never_answered_is_said(mlflow_url: str) -> None:
    result = CliRunner().invoke(app, ["compare", "irsi", "--tracking-uri", mlflow_url])
    assert result.exit_code == 1
    assert "has no experiment 'offpath/irsi'" in result.stderr
