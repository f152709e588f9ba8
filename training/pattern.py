"""What every recipe goes through: data, training, evaluation, ONNX, agreement; registering is the tracker's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training.enough import check_enough
from training.metrics import evaluate
from training.onnx_form import check_agreement, check_size, to_onnx
from training.recipe import Dataset, Estimator, Onnx, Parameters, Progress, Recipe, TrainingError
from training.split import split

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is fit to be registered. metrics: on the held-out rows. example: one held-out record.

    figures: `matplotlib.figure.Figure` by file name.
    """

    recipe: Recipe[Any]
    parameters: Parameters
    seed: int
    data: Dataset
    train_rows: int
    test_rows: int
    metrics: dict[str, float]
    train_metrics: dict[str, float]
    onnx: Onnx
    largest_difference: float
    example: dict[str, Any]
    figures: dict[str, Any] = field(default_factory=dict)


def unseen(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def train(  # noqa: PLR0913, PLR0917  what to train, and two ways to follow it
    recipe: Recipe[Any],
    parameters: Parameters,
    seed: int,
    say: Say,
    data: Dataset | None = None,
    progress: Progress = unseen,
) -> Trained:
    """Train and check one model; nothing is written anywhere. data: the recipe's own if None.

    Raises TrainingError when the data do not suffice, when ONNX does not agree, or is too large.
    """
    data = recipe.load() if data is None else data
    check_enough(recipe, data)
    train_x, test_x, train_y, test_y = split(recipe, data, seed)
    say(f"data: {len(train_x)} rows to train, {len(test_x)} held out{' (synthetic)' if data.synthetic else ''}")
    estimator = _fit(recipe, recipe.build(parameters, seed), train_x, train_y, progress)
    predicted = estimator.predict(test_x)
    metrics = evaluate(recipe.task, test_y, predicted)
    say("trained: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))
    model = to_onnx(recipe, estimator)
    size = check_size(model)
    difference = check_agreement(recipe, estimator, model, test_x)
    say(f"ONNX and scikit-learn agree: largest difference {difference:.1e}; {size / 1e3:,.1f} kB")
    return Trained(
        recipe=recipe,
        parameters=parameters,
        seed=seed,
        data=data,
        train_rows=len(train_x),
        test_rows=len(test_x),
        metrics=metrics,
        train_metrics=evaluate(recipe.task, train_y, estimator.predict(train_x)),
        onnx=model,
        largest_difference=difference,
        example=test_x.iloc[0].to_dict(),
        figures=_figures(recipe, test_y, predicted),
    )


def _fit(recipe: Recipe[Any], estimator: Estimator, rows: Any, target: Any, progress: Progress) -> Estimator:
    try:
        return recipe.fit(estimator, rows, target, progress) if recipe.fit else estimator.fit(rows, target)
    except ValueError as error:  # what scikit-learn says of data that it can make nothing of
        raise TrainingError(f"the training failed: {error}") from error


def _figures(recipe: Recipe[Any], expected: Any, predicted: Any) -> dict[str, Any]:
    if not recipe.plots:
        return {}

    from training.plots import confusion_matrix, residuals  # matplotlib takes a while to import

    if recipe.task == "classification":
        return {"confusion_matrix.png": confusion_matrix(expected, predicted, recipe.labels)}
    return {"residuals.png": residuals(expected, predicted)}
