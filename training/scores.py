"""The names of the scores, by task, and which of them are better when they are lower; imports nothing slow."""

from training.recipe import Task

SCORES: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "precision", "recall", "f1"),
    "regression": ("mse", "rmse", "mae", "r2"),
}
_ERRORS = {"mse", "rmse", "mae"}
HELD_OUT = "validation_"


def metrics_of(task: Task) -> list[str]:
    """The metrics of a run that tell how good its model is: the scores on the held-out rows."""
    return [f"{HELD_OUT}{score}" for score in SCORES[task]]


def less_is_better(metric: str) -> bool:
    """Whether that metric measures an error."""
    return metric.removeprefix(HELD_OUT) in _ERRORS
