"""Check how near an estimator and its ONNX form are to each other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.onnx_artifact.run import run
from training.recipe import HoldoutSet, OnnxArtifact, Recipe, TrainingError

TOLERANCE = 1e-5


def check_agreement(recipe: Recipe[Any], artifact: OnnxArtifact, holdout: HoldoutSet) -> float:
    """Return the largest difference from the estimator: of probabilities, or relative to a regression's values.

    Raises TrainingError for one over TOLERANCE, or for another label, unless the two labels are equally probable.
    """
    outputs = run(recipe, artifact, holdout.features)
    if recipe.task == "regression":
        expected = np.asarray(holdout.predicted, dtype=float)
        return _check_tolerable(recipe, relative_difference(outputs["variable"].reshape(-1), expected))
    different = outputs["label"] != holdout.predicted
    different &= _leads(holdout.probabilities) > TOLERANCE
    if different.any():
        count, rows = int(different.sum()), len(holdout.features)
        raise TrainingError(f"ONNX gives {count} of {rows} held-out rows another label: not registered")
    return _check_tolerable(recipe, largest_difference(outputs["probabilities"], holdout.probabilities))


def largest_difference(given: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest absolute difference; NaN where there is one in either."""
    return float(np.max(np.abs(given - expected)))


def relative_difference(given: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest difference of values, divided by the largest of them where that is over 1."""
    scale = max(1.0, float(np.max(np.abs(expected))))
    return largest_difference(given / scale, expected / scale)


def is_tolerable(difference: float) -> bool:
    """Tell whether two models that differ so much agree."""
    return difference <= TOLERANCE  # NaN, too, is a disagreement


def _leads(probabilities: NDArray[Any]) -> NDArray[Any]:
    """Return by how much each row's most probable label leads the next."""
    ordered = np.sort(probabilities, axis=1)
    leads: NDArray[Any] = ordered[:, -1] - ordered[:, -2]
    return leads


def _check_tolerable(recipe: Recipe[Any], difference: float) -> float:
    if not is_tolerable(difference):
        both = f"ONNX and {recipe.library}"
        raise TrainingError(f"{both} differ by {difference:.2g}, over {TOLERANCE:.0e}: not registered")
    return difference
