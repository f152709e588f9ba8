"""Scikit-learn's estimators are served as docs/models.md says: a share of them, drawn anew each time."""

from __future__ import annotations

import sys
from random import Random, SystemRandom

import pytest

from local.zoo.models import Case, cases
from local.zoo.run import Outcome, outcome_of
from local.zoo.table import refused_in

# mlflow warns of whole numbers, and of its own type hints when parts of it are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of estimators that will go
]

_SHARE, _SECONDS, _LEAST = 40, 300, 2_000
_LEAST_SERVED = 0.9


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> int:
    """A new one, which is printed even where all is well."""
    found = SystemRandom().randrange(2**31)
    with capsys.disabled():
        sys.stdout.write(f" seed of this share of the zoo: {found} ")
    return found


def is_as_documented(outcome: Outcome) -> bool:
    match outcome.verdict:
        case "served":
            return outcome.compared >= _LEAST
        case "refused" | "differs":
            return (outcome.name, outcome.kind) in refused_in()
        case "not fitted":
            return True
        case _:
            return False


def test_a_drawn_share_of_the_zoo_is_as_documented(seed: int) -> None:
    share: list[Case] = Random(seed).sample(list(cases()), _SHARE)
    outcomes = [outcome_of(case, seed, _SECONDS) for case in share]
    assert [(seed, outcome) for outcome in outcomes if not is_as_documented(outcome)] == []


def test_the_documented_share_is_nine_tenths() -> None:
    names = {(case.name, case.kind) for case in cases()}
    refused = refused_in()
    assert refused <= names, "the table names a case that there is no more: make zoo writes it anew"
    assert len(refused) <= (1 - _LEAST_SERVED) * len(names)
