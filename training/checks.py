"""Checks of a training before anything slow or lasting is done: hyperparameters, alias, packages, rows."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError

from offpath.contracts.names import ALIAS_RULE, is_alias
from training.recipe import Dataset, Parameters, Recipe, TrainingError

MIN_ROWS = 40
MIN_ROWS_OF_A_CLASS = 5


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return values by name from texts such as `c=0.5`. Raises TrainingError."""
    return dict(_parse_assignment(text) for text in texts)


def parse_parameters(recipe: Recipe[Any], given: Mapping[str, Any]) -> Parameters:
    """Read the recipe's hyperparameters from values or their texts. Raises TrainingError that names each wrong one."""
    try:
        parameters: Parameters = recipe.parameters.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{detail['loc'][0]}={detail['input']!r}: {detail['msg']}" for detail in error.errors())
        known = _describe_parameters(recipe)
        raise TrainingError(f"{wrong}. Hyperparameters of {recipe.name}: {known}") from error
    return parameters


def check_alias(alias: str) -> None:
    """Raise TrainingError for an alias that MLflow would refuse once the version is there."""
    if not is_alias(alias):
        raise TrainingError(f"alias {alias!r}: {ALIAS_RULE}")


def check_installed(recipe: Recipe[Any]) -> None:
    """Raise TrainingError, with the command that installs them, if packages are missing. None of them is imported."""
    extra = recipe.extra_packages
    if extra is None:
        return
    missing = [name for name, module in extra.modules.items() if find_spec(module) is None]
    if missing:
        names = ", ".join(missing)
        raise TrainingError(f"{recipe.name} is trained with {names}, which this environment lacks: {extra.install}")


def check_row_counts(recipe: Recipe[Any], data: Dataset) -> None:
    """Raise TrainingError for too few rows, or a class with too few or none."""
    if len(data.features) < MIN_ROWS:
        raise TrainingError(f"{data.source}: {len(data.features)} rows are too few: at least {MIN_ROWS} are needed")
    target = data.target.tolist()
    counts = {label: target.count(index) for index, label in enumerate(recipe.labels)}
    scarce = [f"{count} of {label}" for label, count in counts.items() if count < MIN_ROWS_OF_A_CLASS]
    if scarce:
        raise TrainingError(
            f"{data.source}: too few rows of a class ({', '.join(scarce)}): at least {MIN_ROWS_OF_A_CLASS} of each of "
            f"{', '.join(recipe.labels)} are needed"
        )


def _parse_assignment(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise TrainingError(f"hyperparameter {text!r}: expected NAME=VALUE")
    return name.strip(), value.strip()


def _describe_parameters(recipe: Recipe[Any]) -> str:
    fields = recipe.parameters.model_fields.items()
    return ", ".join(f"{name} (default {field.default}: {field.description})" for name, field in fields)
