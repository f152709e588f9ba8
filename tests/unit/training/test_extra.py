"""Recipes that take more than the development environment."""

from dataclasses import replace

import pytest

from training.checks import check_installed
from training.recipes.iris import RECIPE
from training.recipes.recipe import Extra, TrainingError
from training.recipes.sentiment.bert import RECIPE as BERT


def test_what_is_missing_is_told_with_the_command_that_installs_it() -> None:
    assert BERT.extra
    packages = {"numpy": "numpy", "a-lib": "a_lib_that_is_not_there", "b-lib": "b_lib_that_is_not_there"}
    recipe = replace(BERT, extra=replace(BERT.extra, packages=packages))
    with pytest.raises(TrainingError) as caught:
        check_installed(recipe)
    said = "sentiment-bert is trained with a-lib, b-lib, which this environment lacks"
    assert str(caught.value) == f"{said}: `make .venv/.bert-ready` installs it"


def test_nothing_is_missing() -> None:
    check_installed(RECIPE)
    check_installed(replace(RECIPE, extra=Extra({"numpy": "numpy"}, "")))
