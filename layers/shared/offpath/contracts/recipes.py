"""What can be trained: the training worker announces it in S3, and the API holds what it is asked for against it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.contracts.errors import RecipesError

KEY = "training/recipes.json"
SCHEMA: Literal["recipes/1"] = "recipes/1"

Better = Literal["higher", "lower"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class AnnouncedRecipe(_Part):
    """A recipe, as others than the training see it.

    parameters: the JSON schema of its hyperparameters, a flat object. metrics: what can be compared of its runs, and
    whether higher or lower is better. takes_data: whether it learns from files.
    """

    description: str
    parameters: dict[str, Any]
    metrics: dict[str, Better]
    takes_data: bool


class Recipes(_Part):
    """Every recipe that the worker knows, by name. made_from: a digest of their code, that tells when to do it anew."""

    schema_: Literal["recipes/1"] = Field(SCHEMA, alias="schema")
    made_from: str = ""
    recipes: dict[str, AnnouncedRecipe] = {}

    @classmethod
    def parse(cls, content: bytes) -> "Recipes":
        """Read an announcement; fields that it does not know are passed over. Raises RecipesError."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole document"
            raise RecipesError(f"{KEY} is no announcement of recipes: {where}: {first['msg']}") from error

    def to_json(self) -> bytes:
        """The announcement as it is stored."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"
