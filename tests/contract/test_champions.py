"""Which version is champion, and the way back, in a real MLflow registry."""

from __future__ import annotations

import uuid

import pytest
from mlflow import MlflowClient

from tests.support.servers.training_jobs import registered_version
from training.recipe import TrainingError
from training.registry.champions import HISTORY_TAG, champion_of, find_version, promote, roll_back

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")


@pytest.fixture
def client(mlflow_url: str) -> MlflowClient:
    return MlflowClient(mlflow_url)


@pytest.fixture
def name(client: MlflowClient) -> str:
    """A model with four versions, and no champion."""
    name = f"model-{uuid.uuid4().hex[:8]}"
    for number in range(4):
        registered_version(client, name, f"v-{number}")
    return name


def test_each_promotion_names_the_version_before(client: MlflowClient, name: str) -> None:
    assert champion_of(client, name) is None
    assert [promote(client, name, number) for number in ("1", "2", "2", "4")] == [None, "1", None, "2"]
    assert champion_of(client, name) == "4"
    assert client.get_registered_model(name).tags[HISTORY_TAG] == "1,2,4"


def test_rolling_back_walks_the_promotions_backwards(client: MlflowClient, name: str) -> None:
    for number in ("1", "3", "2"):
        promote(client, name, number)
    assert [roll_back(client, name), roll_back(client, name)] == [("2", "3"), ("3", "1")]
    with pytest.raises(TrainingError, match=f"versions of it are 4, 3, 2, 1; .*: offpath promote {name} VERSION"):
        roll_back(client, name)
    assert champion_of(client, name) == "1"


def test_a_promotion_after_a_rollback_can_be_undone(client: MlflowClient, name: str) -> None:
    for number in ("1", "2"):
        promote(client, name, number)
    roll_back(client, name)
    promote(client, name, "3")
    assert roll_back(client, name) == ("3", "1")


def test_an_alias_moved_by_hand_is_the_way_back(client: MlflowClient, name: str) -> None:
    promote(client, name, "1")
    client.set_registered_model_alias(name, "champion", "2")
    promote(client, name, "3")
    assert roll_back(client, name) == ("3", "2")
    client.set_registered_model_alias(name, "champion", "4")
    assert roll_back(client, name) == ("4", "2")


def test_a_version_that_is_gone_is_passed_over(client: MlflowClient, name: str) -> None:
    for number in ("1", "2", "3"):
        promote(client, name, number)
    client.delete_model_version(name, "2")
    assert roll_back(client, name) == ("3", "1")


@pytest.mark.parametrize("number", ["9", "0", "-1", "two", "1.0", ""])
def test_an_unknown_version_is_refused_with_those_that_there_are(client: MlflowClient, name: str, number: str) -> None:
    with pytest.raises(TrainingError, match=f"{name} has no version '{number}': versions of it are 4, 3, 2, 1"):
        find_version(client, name, number)


def test_an_unknown_model_is_refused_with_those_that_there_are(client: MlflowClient, name: str) -> None:
    with pytest.raises(TrainingError, match=r"no model 'nobody' is registered; there is: .*model-"):
        find_version(client, "nobody", "1")
    assert find_version(client, name, "2").version in {2, "2"}
