"""Put rows together to a dataset, and hold a share of them out."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from training.recipe import Dataset, Frame, Recipe

BINS = 10
MIN_ROWS = 10  # of a tenth: both parts get some, whatever the share

pd: Any = import_module("pandas")  # it is not typed


def make_dataset(
    columns: Mapping[str, Sequence[Any]], target: Sequence[Any], source: str, *, synthetic: bool
) -> Dataset:
    """Return a dataset of these columns, with the data frame and the series that scikit-learn and MLflow take.

    Texts stay Python's own: pandas's type for texts refuses some.
    """
    typed = {name: pd.Series(list(values), dtype=_dtype(values)) for name, values in columns.items()}
    return Dataset(pd.DataFrame(typed), pd.Series(list(target), name="target"), source, synthetic)


def split(recipe: Recipe[Any], data: Dataset, seed: int) -> tuple[Frame, Frame, Any, Any]:
    """Return features to train and held out, and targets to train and held out.

    Both parts have the same share of each class; of a regression, of each tenth of the values, so that a score depends
    less on which part the few rare values fell to.
    """
    strata = data.target if recipe.task == "classification" else _tenths(data.target)
    train_x, test_x, train_y, test_y = train_test_split(
        data.features, data.target, test_size=recipe.test_share, random_state=seed, stratify=strata
    )
    return train_x, test_x, train_y, test_y


def _dtype(values: Sequence[Any]) -> Any:
    return object if values and isinstance(values[0], str) else None


def _tenths(target: Any) -> Any:
    """Return which tenth each value is in; None where the values do not part so, or are too few for it to matter."""
    edges = np.unique(np.quantile(target, np.linspace(0, 1, BINS + 1)[1:-1]))
    tenths = np.digitize(target, edges)
    counts = np.bincount(tenths)
    return tenths if counts[counts > 0].min() >= MIN_ROWS else None
