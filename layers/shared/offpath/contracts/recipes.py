"""The training worker announces its recipes in S3, and the API checks requests for a training against them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError

from offpath.contracts.document import Part, parse
from offpath.contracts.errors import RecipesError
from offpath.contracts.names import RECIPES_KEY

SCHEMA: Literal["recipes/1"] = "recipes/1"
# The schemas that are read: none of them is ever removed.
READABLE: tuple[str, ...] = (SCHEMA,)

Better = Literal["higher", "lower"]


class AnnouncedRecipe(Part):
    """Describe a recipe to other parts than the training.

    parameters: the JSON schema of its hyperparameters, a flat object. metrics: what can be compared of its runs, and
    whether higher or lower is better. takes_data: whether it learns from files.
    """

    description: str
    parameters: dict[str, Any]
    metrics: dict[str, Better]
    takes_data: bool


class Recipes(Part):
    """List each recipe that the worker knows, by name. made_from: a digest of their code, to tell when it changes."""

    schema_: Literal["recipes/1"] = Field(SCHEMA, alias="schema")
    made_from: str = ""
    recipes: dict[str, AnnouncedRecipe] = Field({})

    @classmethod
    def parse(cls, content: bytes) -> "Recipes":
        """Read an announcement. A recipe that cannot be read is left out, and costs no other. Raises RecipesError."""
        raw = parse(_Raw, content, _unusable)
        if raw.schema_ not in READABLE:
            known = ", ".join(map(repr, READABLE))
            raise _unusable(f"schema {raw.schema_[:50]!r} is not known here; this version reads {known}")
        return cls(made_from=raw.made_from, recipes=dict(_readable(raw.recipes)))


class _Raw(Part):
    schema_: str = Field(alias="schema")
    made_from: str = ""
    recipes: dict[str, JsonValue] = Field({})


def _readable(recipes: dict[str, JsonValue]) -> Iterator[tuple[str, AnnouncedRecipe]]:
    for name, entry in recipes.items():
        with suppress(ValidationError):
            yield name, AnnouncedRecipe.model_validate(entry)


def _unusable(complaint: str) -> RecipesError:
    return RecipesError(f"{RECIPES_KEY} is no announcement of recipes: {complaint}")
