"""The recipes by name. A recipe's module is imported when it is asked for: its libraries take seconds to import."""

from importlib import import_module
from typing import Any

from training.recipe import Recipe, TrainingError

_MODULES = {
    "iris": "training.recipes.iris",
    "abalone": "training.recipes.abalone",
    "sentiment-tfidf": "training.recipes.sentiment.tfidf",
    "sentiment-bert": "training.recipes.sentiment.bert",
}
NAMES = tuple(_MODULES)


def find_recipe(name: str) -> Recipe[Any]:
    """Import a recipe's module and return its `RECIPE`. Raises TrainingError for a name that is not in NAMES."""
    check_name(name)
    found: Recipe[Any] = import_module(_MODULES[name]).RECIPE
    return found


def check_name(name: str) -> None:
    """Raise TrainingError for a name that is not in NAMES; imports nothing."""
    if name not in NAMES:
        raise TrainingError(f"there is no recipe {name!r}; there is: {', '.join(NAMES)}")
