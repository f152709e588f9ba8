"""Rows as the data frame and the series that scikit-learn and MLflow take."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from training.recipes.recipe import Dataset

pd: Any = import_module("pandas")  # it is not typed


def dataset(columns: Mapping[str, Sequence[Any]], target: Sequence[Any], source: str, *, synthetic: bool) -> Dataset:
    """A dataset of these columns. Texts stay Python's own: what pandas would make of them refuses some."""
    typed = {name: pd.Series(list(values), dtype=_dtype(values)) for name, values in columns.items()}
    return Dataset(pd.DataFrame(typed), pd.Series(list(target), name="target"), source, synthetic)


def _dtype(values: Sequence[Any]) -> Any:
    return object if values and isinstance(values[0], str) else None
