"""Rows to learn from and rows held out."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from training.recipes.recipe import Dataset, Frame, Recipe

BINS = 10
MIN_ROWS = 10  # of a tenth: both parts get some, whatever the share


def split(recipe: Recipe[Any], data: Dataset, seed: int) -> tuple[Frame, Frame, Any, Any]:
    """Features to train and held out, targets to train and held out.

    Both parts have the same share of each class; of a regression, of each tenth of the values, so that a score hangs
    less on which part the few rare values fell to.
    """
    strata = data.target if recipe.task == "classification" else _tenths(data.target)
    parts = train_test_split(
        data.features, data.target, test_size=recipe.test_share, random_state=seed, stratify=strata
    )
    train_x, test_x, train_y, test_y = parts
    return train_x, test_x, train_y, test_y


def _tenths(target: Any) -> Any:
    """Which tenth each value is in, or None where they do not part so, or are too few for it to matter."""
    edges = np.unique(np.quantile(target, np.linspace(0, 1, BINS + 1)[1:-1]))
    tenths = np.digitize(target, edges)
    counts = np.bincount(tenths)
    return tenths if counts[counts > 0].min() >= MIN_ROWS else None
