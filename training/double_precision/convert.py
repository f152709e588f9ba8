"""Find how an estimator is written, by its class; each module here adds what it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

from training.double_precision.graph import Graph, Value
from training.recipe import Estimator


class NotWritten(Exception):
    """An estimator, or one of its parameters, has no form here. The message names it."""


@dataclass(frozen=True, slots=True)
class Table:
    """Hold the columns that an estimator gets.

    Either `joined`, doubles of shape [records, columns], or `columns`, each of shape [records, 1], and texts among
    them. singles: the columns whose numbers the original has in single precision.
    """

    graph: Graph
    names: Sequence[str]
    columns: Sequence[Value] = ()
    texts: frozenset[int] = frozenset()
    singles: frozenset[int] = frozenset()
    joined: Value | None = None

    @property
    def matrix(self) -> Value:
        """Return all columns side by side, as doubles."""
        if self.joined is not None:
            return self.joined
        if self.texts:
            raise NotWritten("an estimator of numbers that gets a column of texts")
        return self.graph.concat(list(self.columns))

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return len(self.names)

    @property
    def single(self) -> bool:
        """Return whether the original computes in single precision, as it does where all columns have it."""
        return self.singles == frozenset(range(self.width))

    def column(self, index: int) -> Value:
        """Return a column, of shape [records, 1]."""
        return self.columns[index] if self.columns else self.matrix.column(index)

    def select(self, indexes: Sequence[int]) -> Table:
        """Return some of the columns."""
        names = [self.names[index] for index in indexes]
        singles = frozenset(at for at, index in enumerate(indexes) if index in self.singles)
        if not self.columns:
            is_whole = list(indexes) == list(range(self.width))
            joined = self.matrix if is_whole else self.matrix.take(list(indexes))
            return Table(self.graph, names, joined=joined, singles=singles)
        texts = frozenset(at for at, index in enumerate(indexes) if index in self.texts)
        return Table(self.graph, names, [self.columns[index] for index in indexes], texts, singles)

    def of(self, matrix: Value, width: int, *, single: bool | None = None) -> Table:
        """Return a table of another matrix in the same graph. single: as this one's by default."""
        is_single = self.single if single is None else single
        names = [f"x{at}" for at in range(width)]
        return Table(self.graph, names, joined=matrix, singles=frozenset(range(width)) if is_single else frozenset())


@dataclass(frozen=True, slots=True)
class Classified:
    """Hold what a classifier gives: the class index, int64 [records, 1], probabilities and scores where it has them."""

    index: Value
    probabilities: Value | None = None
    scores: Value | None = None


Regress: TypeAlias = Callable[[Estimator, Table], Value]
Classify: TypeAlias = Callable[[Estimator, Table], Classified]
Transform: TypeAlias = Callable[[Estimator, Table], Table]
Write = TypeVar("Write")
_REGRESSORS: dict[str, Regress] = {}
_CLASSIFIERS: dict[str, Classify] = {}
_TRANSFORMERS: dict[str, Transform] = {}
LIBRARIES = ("sklearn", "xgboost", "lightgbm")


def regresses(*names: str) -> Callable[[Regress], Regress]:
    """Let the function write the regressors of these classes: it returns their values, of shape [records, targets]."""

    def add(function: Regress) -> Regress:
        _REGRESSORS.update(dict.fromkeys(names, function))
        return function

    return add


def classifies(*names: str) -> Callable[[Classify], Classify]:
    """Let the function write the classifiers, or outlier detectors, of these classes."""

    def add(function: Classify) -> Classify:
        _CLASSIFIERS.update(dict.fromkeys(names, function))
        return function

    return add


def transforms(*names: str) -> Callable[[Transform], Transform]:
    """Let the function write the transformers of these classes."""

    def add(function: Transform) -> Transform:
        _TRANSFORMERS.update(dict.fromkeys(names, function))
        return function

    return add


def regress(estimator: Estimator, table: Table) -> Value:
    """Return what `predict` of a regressor does. Raises NotWritten."""
    return _found(_REGRESSORS, estimator)(estimator, table)


def classify(estimator: Estimator, table: Table) -> Classified:
    """Return what `predict` and `predict_proba` of a classifier do. Raises NotWritten."""
    return _found(_CLASSIFIERS, estimator)(estimator, table)


def transform(estimator: Estimator, table: Table) -> Table:
    """Return what `transform` does. Raises NotWritten."""
    return _found(_TRANSFORMERS, estimator)(estimator, table)


def two_columns(positive: Value) -> Value:
    """Return the probabilities of two classes, from that of the second."""
    return positive.graph.concat([positive.graph.constant(1.0) - positive, positive])


def only(estimator: Estimator, **expected: object) -> None:
    """Raise NotWritten for a parameter of another value than the expected, or one of several."""
    for name, wanted in expected.items():
        value = getattr(estimator, name)
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        if not any(value is one or (isinstance(value, type(one)) and value == one) for one in values):
            raise NotWritten(f"{type(estimator).__name__} with {name}={value!r}")


def by_name(values: Any) -> np.ndarray[Any, Any]:
    """Return an array of doubles."""
    return np.asarray(values, np.float64)


def _found(known: dict[str, Write], estimator: Estimator) -> Write:
    kind = type(estimator)
    if kind.__name__ not in known or kind.__module__.partition(".")[0] not in LIBRARIES:
        raise NotWritten(f"{kind.__module__}.{kind.__name__}")
    return known[kind.__name__]
