"""A recipe's hyperparameters, as the JSON schema that the worker announced has them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, Required

from pydantic import Field, JsonValue, TypeAdapter

from offpath.contracts.recipes import AnnouncedRecipe
from prediction_api.inputs.object_type import object_type

_TYPES: Mapping[str, object] = {
    "integer": int,
    "number": Annotated[float, Field(allow_inf_nan=False)],
    "string": str,
    "boolean": bool,
}
_BOUNDS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
}


def parameters_adapter(recipe: AnnouncedRecipe) -> TypeAdapter[dict[str, JsonValue]]:
    """Return a reader of hyperparameters in JSON.

    It checks types, bounds and choices; other rules that a schema may have are the worker's to check.
    """
    required = set(recipe.parameters.get("required", ()))
    fields = {
        name: (Required if name in required else NotRequired)[_type(schema)]
        for name, schema in properties(recipe).items()
    }
    return TypeAdapter(object_type("Parameters", fields))


def properties(recipe: AnnouncedRecipe) -> dict[str, dict[str, JsonValue]]:
    """Return the schema of each hyperparameter."""
    found: dict[str, dict[str, JsonValue]] = recipe.parameters.get("properties", {})
    return found


def defaults(recipe: AnnouncedRecipe) -> dict[str, JsonValue]:
    """Return the values of hyperparameters that a request leaves out."""
    return {name: schema["default"] for name, schema in properties(recipe).items() if "default" in schema}


def _type(schema: Mapping[str, JsonValue]) -> object:
    choices, kind = schema.get("enum"), _TYPES.get(str(schema.get("type")))
    if isinstance(choices, list):
        return Literal[tuple(choices)]
    if kind is None:
        return JsonValue
    bounds: dict[str, Any] = {_BOUNDS[name]: value for name, value in schema.items() if name in _BOUNDS}
    return Annotated[kind, Field(**bounds)] if bounds else kind
