"""What the original predicts, by its own library."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offpath_cli.register.errors import Refused, first_line
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.original import Original

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """Predictions to hold others against: of a classification labels, and probabilities where the model has them."""

    labels: list[str] | None = None
    probabilities: Array | None = None
    values: Array | None = None


def has_probabilities(original: Original) -> bool:
    """Whether the model itself gives probabilities: what else it gives beside a label must not be taken for them."""
    return not _is_estimator(original.native) or hasattr(original.native, "predict_proba")


def predict(original: Original, model_task: ModelTask, data: Any) -> Expected:
    """The original's predictions for a data frame, or an array. Raises Refused when it fails on them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _predict(original, model_task, data)
        except Exception as error:  # whatever the model's own code raises
            raise Refused(
                f"the {original.kind} itself fails on the input example: {type(error).__name__}: {first_line(error)}"
            ) from error


def _predict(original: Original, model_task: ModelTask, data: Any) -> Expected:
    if not _is_estimator(original.native):
        return _expected(model_task, _boosted(original, data))
    native = original.native
    given = data if hasattr(native, "feature_names_in_") else np.asarray(data)
    predicted = np.asarray(native.predict(given))
    if model_task.task == "regression":
        return Expected(values=predicted)
    labels = [model_task.labels[model_task.classes.index(value)] for value in predicted.tolist()]
    return Expected(labels, np.asarray(native.predict_proba(given)) if has_probabilities(original) else None)


def _boosted(original: Original, data: Any) -> Array:
    booster = original.native
    if original.flavor == "lightgbm":
        return np.asarray(booster.predict(data))
    from xgboost import DMatrix

    return np.asarray(booster.predict(DMatrix(data if booster.feature_names else np.asarray(data))))


def _expected(model_task: ModelTask, predicted: Array) -> Expected:
    """A Booster's predictions: values, class indexes, or probabilities, of two classes that of the second alone."""
    if model_task.task == "regression":
        return Expected(values=predicted)
    if predicted.ndim == 1 and (len(model_task.labels) > 2 or np.isin(predicted, (0, 1)).all()):
        return Expected([model_task.labels[int(index)] for index in predicted])
    if predicted.ndim == 1:
        predicted = np.stack([1 - predicted, predicted], axis=1)
    return Expected([model_task.labels[index] for index in predicted.argmax(axis=1)], predicted)


def _is_estimator(native: Any) -> bool:
    return hasattr(native, "get_params")
