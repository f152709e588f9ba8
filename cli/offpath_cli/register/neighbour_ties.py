"""Find records whose neighbours are chosen by chance: two learnt ones are as far away, and only one of them counts."""

from typing import Any

import numpy as np

_NEAR = 1e-9


def neighbour_ties(native: Any, given: object) -> list[bool] | None:
    """Return whether each record has such neighbours; None for a model that has none.

    native: an estimator, or a pipeline that ends in one. Which of them scikit-learn takes hangs on how its search is
    built, and changes with its algorithm.
    """
    steps = [step for _, step in native.steps] if hasattr(native, "steps") else [native]
    *before, last = steps
    count = getattr(last, "n_neighbors_", getattr(last, "n_neighbors", None))
    if not hasattr(last, "kneighbors") or not isinstance(count, int):
        return None
    for step in before:
        given = step.transform(given) if hasattr(step, "transform") else given
    if count >= last.n_samples_fit_:
        return None
    far, _ = last.kneighbors(given, n_neighbors=count + 1)
    ties: list[bool] = (far[:, count] - far[:, count - 1] <= _NEAR * np.maximum(far[:, count], 1e-300)).tolist()
    return ties
