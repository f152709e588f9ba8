"""Refuse by name what is known not to be served, before the original is asked about records."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from offpath_cli.errors import ModelRefused
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.native import Array, rows_for
from offpath_cli.register.original import Estimator, Original, is_estimator

_SHOWN = 5


def check_supported(original: Original, model_task: ModelTask, rows: object) -> None:
    """Raise ModelRefused for columns of pandas' categories, several labels a record, or classes that are not listed.

    rows: of the input example.
    """
    native: Any = original.native
    last = native.steps[-1][1] if hasattr(native, "steps") else native
    if found := _categories(last):
        raise ModelRefused(
            f"{type(last).__name__} was trained with categorical columns ({found}), which are not served: encode them "
            "before it, with a OneHotEncoder or an OrdinalEncoder in a pipeline"
        )
    if model_task.task == "classification" and is_estimator(native):
        _check_classes(native, model_task.classes, rows)


def _categories(model: Any) -> str:
    """Return what a model of XGBoost or LightGBM has as categories of pandas; empty if there is nothing."""
    library = type(model).__module__.partition(".")[0]
    if library == "xgboost":
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        kinds = booster.feature_types or []
        names = booster.feature_names or [str(at) for at in range(len(kinds))]
        return ", ".join(name for name, kind in zip(names, kinds, strict=False) if kind == "c")
    if library == "lightgbm":
        held = getattr(model, "booster_", model).pandas_categorical or []
        return "; ".join(f"of {', '.join(map(str, values[:_SHOWN]))}" for values in held)
    return ""


def _check_classes(native: Estimator, classes: Sequence[object], rows: object) -> None:
    predicted = _predicted(native, rows)
    if predicted is None:
        return
    if predicted.ndim > 1 and predicted.shape[1] > 1:
        raise ModelRefused(f"{type(native).__name__} predicts {predicted.shape[1]} labels a record: one is served")
    if unknown := sorted(map(repr, set(predicted.reshape(-1).tolist()) - set(classes))):
        shown = ", ".join(unknown[:_SHOWN])
        listed = ", ".join(map(repr, list(classes)[:_SHOWN]))
        raise ModelRefused(f"{type(native).__name__} predicts {shown}, which are not among its classes {listed}")


def _predicted(native: Estimator, rows: object) -> Array | None:
    """Return what it predicts; None where it fails, which is told later."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return np.asarray(native.predict(rows_for(native, rows)))
    except Exception:  # whatever the model's own code raises
        return None
