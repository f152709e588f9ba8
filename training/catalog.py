"""The recipes by name. A recipe's module is imported when it is asked for: its libraries take seconds to import."""

from importlib import import_module
from typing import Any

from training.recipe import Recipe, TrainingError

NAMES = ("iris", "abalone", "sentiment-tfidf", "sentiment-bert")


def find_recipe(name: str) -> Recipe[Any]:
    """The recipe `RECIPE` of the module of that name, its dashes underscores there.

    Raises TrainingError for a name that is not in NAMES.
    """
    check_name(name)
    found: Recipe[Any] = import_module(f"training.{name.replace('-', '_')}").RECIPE
    return found


def check_name(name: str) -> None:
    """Raises TrainingError for a name that is not in NAMES; imports nothing."""
    if name not in NAMES:
        raise TrainingError(f"there is no recipe {name!r}; there is: {', '.join(NAMES)}")
