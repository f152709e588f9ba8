"""What a recipe is: the part of a training that differs from model to model."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Task = Literal["classification", "regression"]
ColumnType = Literal["double", "float", "long", "integer", "boolean", "string"]
Frame = Any  # pandas.DataFrame: pandas is not typed
Estimator = Any  # a scikit-learn estimator: scikit-learn is not typed


class TrainingError(Exception):
    """A training that cannot go on; nothing is registered. The message says what to do."""


class Parameters(BaseModel):
    """Base of a recipe's hyperparameters: bounds and defaults are the fields', and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Column:
    """One input column: MLflow's name for its type, and what it holds, with its unit."""

    name: str
    type: ColumnType
    description: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A recipe's data. features: a data frame of its columns. target: one class index, or value, a row."""

    features: Frame
    target: Any
    source: str

    @property
    def sha256(self) -> str:
        """A digest of every value, so that two runs can be told to have seen the same data."""
        rows = self.features.assign(_target=self.target).to_csv(index=False)
        return hashlib.sha256(rows.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recipe(Generic[P]):
    """How one model is made.

    labels: class names by class index; empty for a regression. build: an untrained estimator of those hyperparameters
    and that random seed. mixed: columns of several types, so that each becomes an ONNX input of its own name; otherwise
    there is one input, a matrix of floats. test_share: part of the rows that is held out.
    """

    name: str
    title: str
    description: str
    task: Task
    columns: tuple[Column, ...]
    parameters: type[P]
    load: Callable[[], Dataset]
    build: Callable[[P, int], Estimator]
    labels: tuple[str, ...] = ()
    mixed: bool = False
    test_share: float = 0.2

    @property
    def column_names(self) -> list[str]:
        """The columns' names, in the order of the signature."""
        return [column.name for column in self.columns]
