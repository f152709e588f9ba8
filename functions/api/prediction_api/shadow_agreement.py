"""How far two versions say the same of the same records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# Two values of a regression agree within this part of the one that was answered.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Agreement:
    """share: of the records that both say the same of, 0 to 1. difference: of a regression's values, on average."""

    share: float
    difference: float | None = None


def agreement(answered: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> Agreement | None:
    """By the labels of a classification, or the values of a regression; None where the two cannot be compared."""
    if not answered or len(answered) != len(other):
        return None
    if all("label" in prediction for prediction in (*answered, *other)):
        same = sum(one["label"] == two["label"] for one, two in zip(answered, other, strict=True))
        return Agreement(same / len(answered))
    try:
        return _of_values(*(np.array([one["value"] for one in part], np.float64) for part in (answered, other)))
    except (KeyError, ValueError, TypeError):  # of another task, of another shape, or ragged
        return None


def _of_values(answered: Any, other: Any) -> Agreement | None:
    if answered.shape != other.shape:
        return None
    gap = np.abs(answered - other).reshape(len(answered), -1)
    close = gap <= TOLERANCE * np.abs(answered).reshape(len(answered), -1)
    return Agreement(float(close.all(axis=1).mean()), float(gap.mean()))
