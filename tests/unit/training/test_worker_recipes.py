"""A worker announces the recipes that its settings name."""

import pytest

from offpath.contracts.errors import SettingsError
from training.recipes.catalog import NAMES
from training.worker.announce import announcement
from training.worker.settings import WorkerSettings

ENVIRON = {"OFFPATH_TRAINING_QUEUE_URL": "https://sqs/1/jobs", "OFFPATH_BUCKET": "archive"}


def test_a_worker_trains_all_recipes_by_default() -> None:
    assert WorkerSettings.load(ENVIRON).recipes == list(NAMES)


def test_a_worker_announces_the_recipes_of_its_settings() -> None:
    settings = WorkerSettings.load(ENVIRON | {"OFFPATH_TRAINING_RECIPES": "abalone, iris"})
    announced = announcement(settings.recipes)
    assert list(announced.recipes) == ["abalone", "iris"]
    assert announced.made_from != announcement(["iris"]).made_from


@pytest.mark.parametrize("text", ["iris,tulips", " , "])
def test_an_unknown_recipe_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match=r"OFFPATH_TRAINING_RECIPES.*expected some of iris"):
        WorkerSettings.load(ENVIRON | {"OFFPATH_TRAINING_RECIPES": text})
