"""What a recipe is: the part of a training that differs from model to model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Task = Literal["classification", "regression"]
ColumnType = Literal["double", "float", "long", "integer", "boolean", "string"]
Frame = Any  # pandas.DataFrame: pandas is not typed
Estimator = Any  # a scikit-learn estimator: scikit-learn is not typed
Onnx = Any  # onnx.ModelProto: onnx takes a while to import
Progress = Callable[[int, int], None]  # so many parts done, of so many
Say = Callable[[str], None]


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
    """A recipe's data. features: a data frame of its columns. target: one class index, or value, a row.

    synthetic: made up, so that a model of it shows how things work and is of no use beyond that.
    """

    features: Frame
    target: Any
    source: str
    synthetic: bool = False

    @property
    def sha256(self) -> str:
        """A digest of every value, so that two runs can be told to have seen the same data."""
        return hashlib.sha256(self._csv()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """The size of all values as CSV, in UTF-8: it can be compared, whatever form the data came in."""
        return len(self._csv())

    def _csv(self) -> bytes:
        rows: str = self.features.assign(_target=self.target).to_csv(index=False)
        return rows.encode()


@dataclass(frozen=True, slots=True)
class OnnxArtifact:
    """A trained model as it is served. tokenizer: for a graph that takes tokens, the file that makes them of a text."""

    onnx: Onnx
    tokenizer: bytes | None = None

    @property
    def bytes(self) -> int:
        """The size of the graph's file."""
        return int(self.onnx.ByteSize())


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The rows that a model is judged by, and what the estimator says of them: labels or values, and probabilities."""

    features: Frame
    target: Any
    predicted: Any
    probabilities: Any = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The form that a recipe takes in place of the exact one. predicted: what it says of the held-out rows.

    metrics, tags: what the run tells of the choice.
    """

    form: OnnxArtifact
    predicted: Any
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extra:
    """What a recipe takes beside the development environment.

    packages: module by distribution. install: which command installs them.
    """

    packages: Mapping[str, str]
    install: str


@dataclass(frozen=True, slots=True)
class Recipe(Generic[P]):
    """How one model is made.

    labels: class names by class index; empty for a regression. build: an untrained estimator of those hyperparameters
    and that random seed. mixed: columns of several types, so that each becomes an ONNX input of its own name; otherwise
    there is one input, a matrix of floats. test_share: part of the rows that is held out.

    load: the data when none are given. read: the data of files; without it the recipe takes none. fit: how the
    estimator is fitted where that is worth a progress bar. convert: the ONNX form where skl2onnx has none that will do.
    choose: a smaller form that is not exact, or the exact one. max_bytes: of the form's graph. library: what the
    estimator runs on. extra: what else has to be installed.
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
    read: Callable[[Sequence[Path]], Dataset] | None = None
    fit: Callable[[Estimator, Frame, Any, Progress], Estimator] | None = None
    convert: Callable[[Estimator], OnnxArtifact] | None = None
    choose: Callable[[P, OnnxArtifact, HeldOut, Say], Chosen] | None = None
    # A larger file takes the serving side long to fetch and to load when it starts.
    max_bytes: int = 10_000_000
    library: str = "scikit-learn"
    extra: Extra | None = None

    @property
    def column_names(self) -> list[str]:
        """The columns' names, in the order of the signature."""
        return [column.name for column in self.columns]
