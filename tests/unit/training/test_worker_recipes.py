"""Which recipes a worker says that it trains."""

import pytest

from offpath.contracts.errors import SettingsError
from training.recipes.catalog import NAMES
from training.worker.announce import announcement
from training.worker.settings import WorkerSettings

ENVIRON = {"OFFPATH_TRAINING_QUEUE_URL": "https://sqs/1/jobs", "OFFPATH_BUCKET": "archive"}


def test_all_of_them() -> None:
    assert WorkerSettings.load(ENVIRON).recipes == list(NAMES)


def test_those_that_it_is_told() -> None:
    settings = WorkerSettings.load(ENVIRON | {"OFFPATH_TRAINING_RECIPES": "abalone, iris"})
    announced = announcement(settings.recipes)
    assert list(announced.recipes) == ["abalone", "iris"]
    assert announced.made_from != announcement(["iris"]).made_from


@pytest.mark.parametrize("text", ["iris,tulips", " , "])
def test_what_is_no_recipe_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match=r"OFFPATH_TRAINING_RECIPES.*expected some of iris"):
        WorkerSettings.load(ENVIRON | {"OFFPATH_TRAINING_RECIPES": text})
