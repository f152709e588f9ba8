"""How far two versions agree on the same records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Two values of a regression agree within this part of the one that was answered.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far they agree.

    share: of the records that both predict the same for, 0 to 1. difference: between a regression's values, on average.
    """

    share: float
    difference: float | None = None


def compare_predictions(
    answered: Sequence[Mapping[str, object]], other: Sequence[Mapping[str, object]]
) -> Agreement | None:
    """Compare the labels of a classification, or the values of a regression; None where the two cannot be compared."""
    if not answered or len(answered) != len(other):
        return None
    if all("label" in prediction for prediction in (*answered, *other)):
        same = sum(one["label"] == two["label"] for one, two in zip(answered, other, strict=True))
        return Agreement(same / len(answered))
    try:
        return _compare_values(_values(answered), _values(other))
    except (KeyError, ValueError, TypeError):  # of another task, of another shape, or ragged
        return None


def _values(predictions: Sequence[Mapping[str, object]]) -> NDArray[np.float64]:
    return np.array([prediction["value"] for prediction in predictions], np.float64)


def _compare_values(answered: NDArray[np.float64], other: NDArray[np.float64]) -> Agreement | None:
    if answered.shape != other.shape:
        return None
    gap = np.abs(answered - other).reshape(len(answered), -1)
    close = gap <= TOLERANCE * np.abs(answered).reshape(len(answered), -1)
    return Agreement(float(close.all(axis=1).mean()), float(gap.mean()))
