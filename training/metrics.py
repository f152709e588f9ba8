"""How good a model is, on the rows it learnt from or on others."""

from typing import Any

from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from training.recipe import Task


def evaluate(task: Task, expected: Any, predicted: Any) -> dict[str, float]:
    """Accuracy and macro-averaged precision, recall and F1; for a regression MSE, RMSE, MAE and R²."""
    return _classification(expected, predicted) if task == "classification" else _regression(expected, predicted)


def _classification(expected: Any, predicted: Any) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(expected, predicted, average="macro", zero_division=0)
    accuracy = accuracy_score(expected, predicted)
    return {"accuracy": float(accuracy), "precision": float(precision), "recall": float(recall), "f1": float(f1)}


def _regression(expected: Any, predicted: Any) -> dict[str, float]:
    return {
        "mse": float(mean_squared_error(expected, predicted)),
        "rmse": float(root_mean_squared_error(expected, predicted)),
        "mae": float(mean_absolute_error(expected, predicted)),
        "r2": float(r2_score(expected, predicted)),
    }
