"""Hyperparameters and alias, as somebody asks for them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from training.recipe import Parameters, Recipe, TrainingError


def named(texts: Iterable[str]) -> dict[str, str]:
    """Hyperparameters by name from texts such as `c=0.5`. Raises TrainingError."""
    return dict(_split(text) for text in texts)


def parse_parameters(recipe: Recipe[Any], given: Mapping[str, Any]) -> Parameters:
    """The recipe's hyperparameters from values or their texts. Raises TrainingError that names each unusable one."""
    try:
        parameters: Parameters = recipe.parameters.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{detail['loc'][0]}={detail['input']!r}: {detail['msg']}" for detail in error.errors())
        raise TrainingError(f"{wrong}. Hyperparameters of {recipe.name}: {_known(recipe)}") from error
    return parameters


def check_alias(alias: str) -> None:
    """Raises TrainingError for an alias that MLflow would refuse, once the version is there."""
    if not re.fullmatch(r"[\w-]{1,255}", alias, re.ASCII) or re.fullmatch(r"latest|v\d+", alias, re.IGNORECASE):
        raise TrainingError(f"alias {alias!r}: expected letters, digits, - and _, and neither latest nor v1, v2 …")


def _split(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise TrainingError(f"hyperparameter {text!r}: expected NAME=VALUE")
    return name.strip(), value.strip()


def _known(recipe: Recipe[Any]) -> str:
    fields = recipe.parameters.model_fields.items()
    return ", ".join(f"{name} (default {field.default}: {field.description})" for name, field in fields)
