"""How far apart two predictions may be, and are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-5


def largest_difference(given: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest absolute difference; NaN where there is one in either."""
    return float(np.max(np.abs(given - expected)))


def relative_difference(given: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference of values, by the largest of them where that is over 1."""
    scale = max(1.0, float(np.max(np.abs(expected))))
    return largest_difference(given / scale, expected / scale)


def is_tolerable(difference: float) -> bool:
    """Whether two models that differ so much say the same."""
    return difference <= TOLERANCE  # NaN, too, is a disagreement
