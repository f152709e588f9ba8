"""Ask the original for its predictions, by its own library."""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from offpath_cli.errors import ModelRefused, first_line
from offpath_cli.register.leads import leads_of
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.neighbour_ties import neighbour_ties
from offpath_cli.register.original import Estimator, Original, is_estimator

Array = NDArray[Any]


class ProbabilityEstimator(Estimator, Protocol):
    """Give probabilities beside the classes, as some classifiers do."""

    def predict_proba(self, rows: object) -> object:
        """Return the probability of each class, a row a record."""


@dataclass(frozen=True, slots=True)
class ExpectedAnswers:
    """Hold the original's predictions.

    labels: of a classification. probabilities: of one that has them, of shape [records, classes]. values: of a
    regression. leads: of a classification that has scores, by how much its score is over that of the next class.
    ties: whether the farthest neighbour that counts is as far away as the next one, so that chance chose it.
    """

    labels: list[str] | None = None
    probabilities: Array | None = None
    values: Array | None = None
    leads: list[float] | None = None
    ties: list[bool] | None = None


def has_probabilities(original: Original) -> bool:
    """Return whether the model itself gives probabilities: its scores must not be taken for them."""
    return not is_estimator(original.native) or _gives_probabilities(original.native)


def predict(original: Original, model_task: ModelTask, rows: object) -> ExpectedAnswers:
    """Return the original's predictions for a data frame, or an array. Raises ModelRefused when it fails."""
    try:
        return predict_unchecked(original, model_task, rows)
    except Exception as error:  # whatever the model's own code raises
        raise ModelRefused(
            f"the {original.kind} itself fails on the input example: {type(error).__name__}: {first_line(error)}"
        ) from error


def predict_unchecked(original: Original, model_task: ModelTask, rows: object) -> ExpectedAnswers:
    """Return the original's predictions for a data frame, or an array. Raises what the original raises."""
    native = original.native
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if is_estimator(native):
            return _of_estimator(native, model_task, rows)
        return _of_booster(np.asarray(_boosted(original, rows)), model_task)


def _of_estimator(native: Estimator, model_task: ModelTask, rows: object) -> ExpectedAnswers:
    given = rows_for(native, rows)
    predicted = np.asarray(native.predict(given))
    ties = neighbour_ties(native, given)
    if model_task.task == "regression":
        return ExpectedAnswers(values=predicted, ties=ties)
    classes = predicted.reshape(len(predicted)).tolist()
    labels = [model_task.labels[model_task.classes.index(value)] for value in classes]
    leads = leads_of(native, given)
    if _gives_probabilities(native):
        return ExpectedAnswers(labels, np.asarray(native.predict_proba(given)), leads=leads, ties=ties)
    return ExpectedAnswers(labels, leads=leads, ties=ties)


def rows_for(native: Estimator, rows: object) -> object:
    """Return the rows as the estimator takes them: texts alone where it begins with a vectorizer of them."""
    first: Any = native.steps[0][1] if hasattr(native, "steps") else native
    if hasattr(first, "build_analyzer"):
        return np.asarray(rows)[:, 0]
    return rows if hasattr(native, "feature_names_in_") else np.asarray(rows)


def _gives_probabilities(native: Estimator) -> TypeGuard[ProbabilityEstimator]:
    return hasattr(native, "predict_proba")


def _boosted(original: Original, rows: object) -> object:
    booster: Any = original.native  # a Booster, of one library or the other
    if original.flavor == "lightgbm":
        return booster.predict(rows)
    from xgboost import DMatrix

    return booster.predict(DMatrix(rows if booster.feature_names else np.asarray(rows)))


def _of_booster(predicted: Array, model_task: ModelTask) -> ExpectedAnswers:
    """Read a Booster's predictions: values, class indexes, or probabilities; of two classes, of the second alone."""
    if model_task.task == "regression":
        return ExpectedAnswers(values=predicted)
    if predicted.ndim == 1 and (len(model_task.labels) > 2 or np.isin(predicted, (0, 1)).all()):
        return ExpectedAnswers([model_task.labels[int(index)] for index in predicted])
    if predicted.ndim == 1:
        predicted = np.stack([1 - predicted, predicted], axis=1)
    return ExpectedAnswers([model_task.labels[index] for index in predicted.argmax(axis=1)], predicted)
