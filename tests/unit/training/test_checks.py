"""Hyperparameters and alias from a command line."""

import pytest

from training.checks import check_alias, parse_assignments, parse_parameters
from training.recipe import TrainingError
from training.recipes.iris import RECIPE, IrisParameters
from training.registry.mlflow_server import checked_address


def test_hyperparameters_are_read_from_assignments() -> None:
    assert parse_parameters(RECIPE, {}) == IrisParameters(c=1.0, max_iter=200)
    given = parse_assignments(["c=0.5", " max_iter = 50 "])
    assert parse_parameters(RECIPE, given) == IrisParameters(c=0.5, max_iter=50)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("c", "'c': expected NAME=VALUE"),
        ("c=-1", "c='-1': Input should be greater than 0"),
        ("c=much", "c='much': Input should be a valid number"),
        ("depth=3", r"depth='3': Extra inputs are not permitted. Hyperparameters of iris: c \(default 1.0: inverse"),
    ],
)
def test_a_wrong_hyperparameter_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        parse_parameters(RECIPE, parse_assignments([text]))


@pytest.mark.parametrize("alias", ["champion", "blue-2", "v", "a" * 255])
def test_an_alias_is_taken_without_spaces_around_it(alias: str) -> None:
    check_alias(alias)
    with pytest.raises(TrainingError, match="expected letters, digits"):
        check_alias(f"{alias} ")


@pytest.mark.parametrize("alias", ["", "latest", "Latest", "v1", "V20", "a b", "a/b", "a" * 256, "é"])
def test_an_alias_that_mlflow_would_refuse_is_refused(alias: str) -> None:
    with pytest.raises(TrainingError, match="expected letters, digits"):
        check_alias(alias)


def test_an_address_must_be_http() -> None:
    assert checked_address("https://mlflow.example.com/") == "https://mlflow.example.com"
    with pytest.raises(TrainingError, match=r"'sqlite:///mlflow\.db': expected the http"):
        checked_address("sqlite:///mlflow.db")
