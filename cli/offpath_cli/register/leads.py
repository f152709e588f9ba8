"""Tell by how much a classifier's label is ahead of the next one."""

from typing import Any

import numpy as np


def leads_of(native: Any, given: object) -> list[float] | None:
    """Return how far each record's scores are from another label; None where the model has none.

    native: an estimator, or a pipeline that ends in one. Where pairs of classes are decided one by one, the least of
    these scores counts: one of them that is zero may change the votes.
    """
    steps = [step for _, step in native.steps] if hasattr(native, "steps") else [native]
    *before, last = steps
    if hasattr(last, "_decision_function") and hasattr(last, "support_vectors_"):
        return _least(last._decision_function(_through(before, given)))
    if type(last).__name__ in {"OneVsOneClassifier", "OutputCodeClassifier"}:
        from sklearn.multiclass import _predict_binary

        rows = _through(before, given)
        return _least(np.stack([_predict_binary(member, rows) for member in last.estimators_], axis=1))
    return _ahead(native, given) if hasattr(native, "decision_function") else None


def _through(steps: list[Any], given: Any) -> Any:
    for step in steps:
        given = step.transform(given) if hasattr(step, "transform") else given
    return given


def _least(scores: Any) -> list[float]:
    found: list[float] = np.abs(np.asarray(scores, float)).reshape(len(scores), -1).min(axis=1).tolist()
    return found


def _ahead(native: Any, given: object) -> list[float]:
    scores = np.asarray(native.decision_function(given), float)
    if scores.ndim == 1:
        return _least(scores)
    ordered = np.sort(scores, axis=1)
    ahead: list[float] = (ordered[:, -1] - ordered[:, -2]).tolist()
    return ahead
