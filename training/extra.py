"""What a recipe takes beside the development environment."""

from importlib.util import find_spec
from typing import Any

from training.recipe import Recipe, TrainingError


def check_installed(recipe: Recipe[Any]) -> None:
    """Raises TrainingError, with the command that installs them, if packages are missing; imports none of them."""
    extra = recipe.extra
    missing = [name for name, module in extra.packages.items() if find_spec(module) is None] if extra else []
    if extra and missing:
        names = ", ".join(missing)
        raise TrainingError(f"{recipe.name} is trained with {names}, which this environment lacks: {extra.install}")
