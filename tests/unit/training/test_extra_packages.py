"""Recipes that take more than the development environment."""

from dataclasses import replace

import pytest

from training.checks import check_installed
from training.recipe import ExtraPackages, TrainingError
from training.recipes.iris import RECIPE
from training.recipes.sentiment.bert import RECIPE as BERT


def test_missing_packages_are_told_with_their_install_command() -> None:
    assert BERT.extra_packages
    modules = {"numpy": "numpy", "a-lib": "a_lib_that_is_not_there", "b-lib": "b_lib_that_is_not_there"}
    recipe = replace(BERT, extra_packages=replace(BERT.extra_packages, modules=modules))
    with pytest.raises(TrainingError) as caught:
        check_installed(recipe)
    said = "sentiment-bert is trained with a-lib, b-lib, which this environment lacks"
    assert str(caught.value) == f"{said}: `make .venv/.bert-ready` installs it"


def test_installed_packages_pass() -> None:
    check_installed(RECIPE)
    check_installed(replace(RECIPE, extra_packages=ExtraPackages({"numpy": "numpy"}, "")))
