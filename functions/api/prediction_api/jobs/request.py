"""Define the fields of a request for a training, whatever the recipe."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from offpath.contracts.names import ALIAS_RULE, CHAMPION, DATASETS_PREFIX, is_alias
from offpath.contracts.promotion import Promotion

MAX_FILES = 10
MAX_KEY = 500


def _dataset_key(key: str) -> str:
    steps = key.split("/")
    if not key.startswith(DATASETS_PREFIX) or not key.isprintable() or not set(steps).isdisjoint({"", ".", ".."}):
        raise PydanticCustomError("dataset_key", f"expected the key of a file below {DATASETS_PREFIX}")
    return key


def _alias(alias: str) -> str:
    if not is_alias(alias):
        raise PydanticCustomError("alias", ALIAS_RULE)
    return alias


DatasetKey = Annotated[str, Field(max_length=MAX_KEY), AfterValidator(_dataset_key)]
Alias = Annotated[str, Field(max_length=255), AfterValidator(_alias)]


class PromotionRequest(Promotion):
    """The new version becomes champion if it is better by this metric."""

    model_config = ConfigDict(extra="forbid")


class TrainingRequest(BaseModel):
    """Ask for a training, and say what happens to the version."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    parameters: dict[str, JsonValue] = Field({}, description="hyperparameters of the recipe; GET /recipes lists them")
    seed: int = Field(42, ge=0, le=2**32 - 1, description="random seed of the split, and of the training")
    data: tuple[DatasetKey, ...] = Field(
        (),
        max_length=MAX_FILES,
        description=f"keys below {DATASETS_PREFIX} in the bucket; without any, the recipe's own data",
    )
    alias: Alias | None = Field(None, description="the alias that the new version gets; null: none")
    promote: PromotionRequest | None = Field(
        None, description=f"when the new version becomes {CHAMPION}: only if it is better; null: it does not"
    )
