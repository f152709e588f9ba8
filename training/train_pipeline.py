"""What every recipe goes through: data, training, evaluation, ONNX, agreement; registering is the tracker's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.checks import check_enough
from training.data.split import split
from training.metrics import evaluate
from training.onnx_artifact.convert import check_agreement, check_size, to_onnx
from training.recipes.recipe import (
    Chosen,
    Dataset,
    Estimator,
    Frame,
    HeldOut,
    OnnxArtifact,
    Parameters,
    Progress,
    Recipe,
    Say,
    TrainingError,
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is fit to be registered. metrics: of its form, on the held-out rows. example: one held-out record.

    more_metrics, tags: what the recipe tells of its choice of a form. figures: `matplotlib.figure.Figure` by file name.
    """

    recipe: Recipe[Any]
    parameters: Parameters
    seed: int
    data: Dataset
    train_rows: int
    test_rows: int
    metrics: dict[str, float]
    train_metrics: dict[str, float]
    form: OnnxArtifact
    largest_difference: float
    example: dict[str, Any]
    more_metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


def ignore_progress(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def train(  # noqa: PLR0913, PLR0917  what to train, and two ways to follow it
    recipe: Recipe[Any],
    parameters: Parameters,
    seed: int,
    say: Say,
    data: Dataset | None = None,
    progress: Progress = ignore_progress,
) -> Trained:
    """Train and check one model; nothing is written anywhere. data: the recipe's own if None.

    Raises TrainingError when the data do not suffice, when ONNX does not agree, or is too large.
    """
    data = recipe.load() if data is None else data
    check_enough(recipe, data)
    train_x, test_x, train_y, test_y = split(recipe, data, seed)
    say(f"data: {len(train_x)} rows to train, {len(test_x)} held out{' (synthetic)' if data.synthetic else ''}")
    estimator = _fit(recipe, recipe.build(parameters, seed), train_x, train_y, progress)
    held_out = _judged(recipe, estimator, test_x, test_y)
    scores = evaluate(recipe.task, test_y, held_out.predicted)
    say("trained: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    exact = to_onnx(recipe, estimator)
    difference = check_agreement(recipe, exact, held_out)
    say(f"ONNX and {recipe.library} agree: largest difference {difference:.1e}; {exact.bytes / 1e3:,.1f} kB")
    chosen = recipe.choose(parameters, exact, held_out, say) if recipe.choose else Chosen(exact, held_out.predicted)
    check_size(recipe, chosen.form)
    return Trained(
        recipe=recipe,
        parameters=parameters,
        seed=seed,
        data=data,
        train_rows=len(train_x),
        test_rows=len(test_x),
        metrics=evaluate(recipe.task, test_y, chosen.predicted),
        train_metrics=evaluate(recipe.task, train_y, estimator.predict(train_x)),
        form=chosen.form,
        largest_difference=difference,
        example=test_x.iloc[0].to_dict(),
        more_metrics=chosen.metrics,
        tags=chosen.tags,
        figures=_figures(recipe, test_y, chosen.predicted),
    )


def _judged(recipe: Recipe[Any], estimator: Estimator, rows: Frame, target: Any) -> HeldOut:
    is_classification = recipe.task == "classification"
    probabilities = estimator.predict_proba(rows) if is_classification else None
    return HeldOut(rows, target, estimator.predict(rows), probabilities)


def _fit(recipe: Recipe[Any], estimator: Estimator, rows: Any, target: Any, progress: Progress) -> Estimator:
    try:
        return recipe.fit(estimator, rows, target, progress) if recipe.fit else estimator.fit(rows, target)
    except ValueError as error:  # what scikit-learn says of data that it can make nothing of
        raise TrainingError(f"the training failed: {error}") from error


def _figures(recipe: Recipe[Any], expected: Any, predicted: Any) -> dict[str, Any]:
    from training.plots import confusion_matrix, residuals  # matplotlib takes a while to import

    if recipe.task == "classification":
        return {"confusion_matrix.png": confusion_matrix(expected, predicted, recipe.labels)}
    return {"residuals.png": residuals(expected, predicted)}
