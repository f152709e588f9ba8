"""The scores of a model: their names by task, which of them are errors, and how to compute them.

Importing this module is cheap: scikit-learn is imported when a score is computed.
"""

from typing import Any

from offpath.contracts.model_manifest import Task

SCORES: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "precision", "recall", "f1"),
    "regression": ("mse", "rmse", "mae", "r2"),
}
_ERRORS = {"mse", "rmse", "mae"}
# What the names of a run's metrics begin with: scores on the rows to train, and on the rows held out.
TRAIN, VALIDATION = "train_", "validation_"


def metrics_of(task: Task) -> list[str]:
    """Return the metrics of a run that tell how good its model is: the scores on the held-out rows."""
    return [f"{VALIDATION}{score}" for score in SCORES[task]]


def less_is_better(metric: str) -> bool:
    """Tell whether a metric measures an error."""
    return metric.removeprefix(VALIDATION) in _ERRORS


def evaluate(task: Task, expected: Any, predicted: Any) -> dict[str, float]:
    """Return accuracy and macro-averaged precision, recall and F1; of a regression MSE, RMSE, MAE and R²."""
    return _classification(expected, predicted) if task == "classification" else _regression(expected, predicted)


def _classification(expected: Any, predicted: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(expected, predicted, average="macro", zero_division=0)
    accuracy = accuracy_score(expected, predicted)
    return {"accuracy": float(accuracy), "precision": float(precision), "recall": float(recall), "f1": float(f1)}


def _regression(expected: Any, predicted: Any) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error

    return {
        "mse": float(mean_squared_error(expected, predicted)),
        "rmse": float(root_mean_squared_error(expected, predicted)),
        "mae": float(mean_absolute_error(expected, predicted)),
        "r2": float(r2_score(expected, predicted)),
    }
