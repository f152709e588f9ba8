"""Aliases and promotion in a real MLflow registry."""

from __future__ import annotations

import uuid

import pytest
from mlflow import MlflowClient

from offpath.contracts.promotion import Promotion
from tests.support.servers.training_jobs import registered_version
from training.promotion import IfBetter
from training.registry.aliases import move_aliases
from training.training_spec import AliasPlan

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

RMSE = Promotion(metric="validation_rmse", margin=0.5)


@pytest.fixture
def client(mlflow_url: str) -> MlflowClient:
    return MlflowClient(mlflow_url)


@pytest.fixture
def name() -> str:
    return f"model-{uuid.uuid4().hex[:8]}"


def champion(client: MlflowClient, name: str) -> str | None:
    found: str | None = client.get_registered_model(name).aliases.get("champion")
    return found


def place(client: MlflowClient, name: str, version: str, alias: str | None, promotion: Promotion | None) -> str:
    rule = IfBetter(promotion) if promotion else None
    verdict = move_aliases(client, client.get_model_version(name, version), AliasPlan(alias, rule))
    return verdict.reason if verdict else ""


def test_only_what_is_asked_for_is_moved(client: MlflowClient, name: str) -> None:
    first = registered_version(client, name, "first")
    assert place(client, name, first, None, None) == ""
    assert client.get_registered_model(name).aliases == {"first": first}
    place(client, name, first, "blue", None)
    assert client.get_registered_model(name).aliases == {"first": first, "blue": first}


def test_champion_is_who_is_better_by_the_margin(client: MlflowClient, name: str) -> None:
    first = registered_version(client, name, "first", {"validation_rmse": 2.0})
    assert place(client, name, first, None, RMSE) == "there was no champion"
    second = registered_version(client, name, "second", {"validation_rmse": 1.6})
    assert "better by 0.4; 0.5 or more was asked for" in place(client, name, second, "tried", RMSE)
    assert (champion(client, name), client.get_registered_model(name).aliases["tried"]) == (first, second)
    third = registered_version(client, name, "third", {"validation_rmse": 1.5}, sha256="1")
    assert "held-out rows: not the same data.sha256" in place(client, name, third, None, RMSE)
    assert champion(client, name) == third
    assert "it is the champion" in place(client, name, third, None, RMSE)


def test_a_champion_without_a_run_that_can_be_read_stays(client: MlflowClient, name: str) -> None:
    first = registered_version(client, name, "champion")
    second = registered_version(client, name, "second", {"validation_rmse": 1.0})
    assert "has no validation_rmse" in place(client, name, second, None, RMSE)
    assert champion(client, name) == first
