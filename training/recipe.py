"""A recipe: the part of a training that differs from model to model."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from offpath.contracts.model_manifest import Column, Task
from training.callbacks import Report, ReportProgress

Frame = Any  # pandas.DataFrame: pandas is not typed
Estimator = Any  # a scikit-learn estimator: scikit-learn is not typed
Onnx = Any  # onnx.ModelProto: onnx takes a while to import


class TrainingError(Exception):
    """A training cannot go on, and nothing is registered. The message says what to do."""


class Parameters(BaseModel):
    """Base of a recipe's hyperparameters: bounds and defaults are the fields', and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)


class InputColumn(Column):
    """An input column of the model's signature. description: what it holds, with its unit."""

    description: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from. features: a data frame of the recipe's columns. target: a class index, or a value, each row.

    synthetic: the rows are made up. A model of them shows how things work, and is of no use beyond that.
    """

    features: Frame
    target: Any
    source: str
    synthetic: bool = False

    @property
    def sha256(self) -> str:
        """Return a digest of every value, by which two runs are known to have seen the same data."""
        return hashlib.sha256(self._csv()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Return the size of all values as CSV in UTF-8, which does not depend on the form that the data came in."""
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
        """Return the size of the graph's file."""
        return int(self.onnx.ByteSize())


@dataclass(frozen=True, slots=True)
class HoldoutSet:
    """Rows that a model is judged by, and what its estimator predicts of them: labels or values, and probabilities."""

    features: Frame
    target: Any
    predicted: Any
    probabilities: Any = None


@dataclass(frozen=True, slots=True)
class ChosenArtifact:
    """The artifact that a recipe registers. predicted: the artifact's own predictions of the holdout set.

    metrics, tags: what the run tells of the choice.
    """

    artifact: OnnxArtifact
    predicted: Any
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExtraPackages:
    """Packages that a recipe needs and the development environment lacks.

    modules: the module that each distribution brings. install: the command that installs them.
    """

    modules: Mapping[str, str]
    install: str


@dataclass(frozen=True, slots=True)
class Recipe(Generic[P]):
    """Describe how one model is made.

    labels: class names by class index; empty for a regression. separate_inputs: each column becomes an ONNX input of
    its own name, as it must where not all are numbers; otherwise there is one input, a matrix of floats. test_share:
    the share of the rows that is held out. max_bytes: the largest size of the graph's file. library: what the estimator
    runs on.

    load: returns the recipe's own data. build: returns an untrained estimator for hyperparameters and a random seed.
    read: returns the data of files; without it the recipe takes none. fit: fits the estimator and reports progress.
    convert: returns the artifact of a fitted estimator where skl2onnx's own will not do. choose: returns an artifact to
    register instead of the exact one, which may be smaller, or that one.
    """

    name: str
    title: str
    description: str
    task: Task
    columns: tuple[InputColumn, ...]
    parameters: type[P]
    load: Callable[[], Dataset]
    build: Callable[[P, int], Estimator]
    labels: tuple[str, ...] = ()
    separate_inputs: bool = False
    test_share: float = 0.2
    read: Callable[[Sequence[Path]], Dataset] | None = None
    fit: Callable[[Estimator, Frame, Any, ReportProgress], Estimator] | None = None
    convert: Callable[[Estimator], OnnxArtifact] | None = None
    choose: Callable[[P, OnnxArtifact, HoldoutSet, Report], ChosenArtifact] | None = None
    # A larger file takes the serving side long to fetch and to load when it starts.
    max_bytes: int = 10_000_000
    library: str = "scikit-learn"
    # Of a regression's values, as their plural: `rings`.
    unit: str = ""
    extra_packages: ExtraPackages | None = None

    @property
    def column_names(self) -> list[str]:
        """Return the columns' names, in the order of the signature."""
        return [column.name for column in self.columns]
