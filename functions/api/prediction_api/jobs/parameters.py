"""A recipe's hyperparameters, as the JSON schema that the worker announced has them."""

from typing import Annotated, Any, Literal, NotRequired, Required, cast

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter
from typing_extensions import TypedDict

from offpath.contracts.recipes import AnnouncedRecipe

_TYPES: dict[str, Any] = {
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


def reader(recipe: AnnouncedRecipe) -> TypeAdapter[dict[str, Any]]:
    """Reads hyperparameters from JSON. What a schema says beyond types, bounds and choices is the worker's to check."""
    required = set(recipe.parameters.get("required", ()))
    fields = {
        name: (Required if name in required else NotRequired)[_type(schema)]
        for name, schema in properties(recipe).items()
    }
    parameters = cast(Any, TypedDict)("Parameters", fields)
    parameters.__pydantic_config__ = ConfigDict(strict=True, extra="forbid")
    return TypeAdapter(parameters)


def properties(recipe: AnnouncedRecipe) -> dict[str, dict[str, Any]]:
    """The schema of each hyperparameter."""
    found: dict[str, dict[str, Any]] = recipe.parameters.get("properties", {})
    return found


def defaults(recipe: AnnouncedRecipe) -> dict[str, JsonValue]:
    """What the hyperparameters are that nobody gave."""
    return {name: schema["default"] for name, schema in properties(recipe).items() if "default" in schema}


def _type(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    kind = _TYPES.get(schema.get("type", ""))
    if kind is None:
        return JsonValue
    bounds = {_BOUNDS[name]: value for name, value in schema.items() if name in _BOUNDS}
    return Annotated[kind, Field(**bounds)] if bounds else kind
