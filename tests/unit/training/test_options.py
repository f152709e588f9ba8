"""Hyperparameters and alias from a command line."""

import pytest

from training.checks import check_alias, named, parse_parameters
from training.recipes.iris import RECIPE, IrisParameters
from training.recipes.recipe import TrainingError
from training.registry.mlflow_server import checked_address


def test_hyperparameters() -> None:
    assert parse_parameters(RECIPE, {}) == IrisParameters(c=1.0, max_iter=200)
    assert parse_parameters(RECIPE, named(["c=0.5", " max_iter = 50 "])) == IrisParameters(c=0.5, max_iter=50)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("c", "'c': expected NAME=VALUE"),
        ("c=-1", "c='-1': Input should be greater than 0"),
        ("c=much", "c='much': Input should be a valid number"),
        ("depth=3", r"depth='3': Extra inputs are not permitted. Hyperparameters of iris: c \(default 1.0: inverse"),
    ],
)
def test_a_hyperparameter_that_cannot_be_used(text: str, complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        parse_parameters(RECIPE, named([text]))


@pytest.mark.parametrize("alias", ["champion", "blue-2", "v", "a" * 255])
def test_an_alias_is_taken_and_another_one_beside_it_is_not(alias: str) -> None:
    check_alias(alias)
    with pytest.raises(TrainingError, match="expected letters, digits"):
        check_alias(f"{alias} ")


@pytest.mark.parametrize("alias", ["", "latest", "Latest", "v1", "V20", "a b", "a/b", "a" * 256, "é"])
def test_an_alias_that_mlflow_would_refuse(alias: str) -> None:
    with pytest.raises(TrainingError, match="expected letters, digits"):
        check_alias(alias)


def test_an_address() -> None:
    assert checked_address("https://mlflow.example.com/") == "https://mlflow.example.com"
    with pytest.raises(TrainingError, match=r"'sqlite:///mlflow\.db': expected the http"):
        checked_address("sqlite:///mlflow.db")
