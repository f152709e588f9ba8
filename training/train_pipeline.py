"""The steps of every training: data, fitting, evaluation, ONNX, agreement. Registering is the registry's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offpath.contracts.model_manifest import ColumnLimits
from training.callbacks import NO_CALLBACKS, Callbacks, ReportProgress
from training.checks import check_row_counts
from training.data.dataset import split
from training.metrics import evaluate
from training.onnx_artifact.agreement import check_agreement
from training.onnx_artifact.convert import check_size, to_onnx
from training.onnx_artifact.probing import check_probes
from training.recipe import (
    ChosenArtifact,
    Dataset,
    Estimator,
    Frame,
    HoldoutSet,
    OnnxArtifact,
    Parameters,
    Recipe,
    TrainingError,
)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is fit to be registered. metrics: of its artifact, on the holdout set. example: a held-out record.

    holdout: the rows that were held out, and what the estimator predicts of them. limits: which values the estimator
    refuses, by column. more_metrics, tags: what the recipe tells of its choice of an artifact. figures:
    `matplotlib.figure.Figure` by file name.
    """

    recipe: Recipe[Any]
    parameters: Parameters
    seed: int
    data: Dataset
    train_rows: int
    test_rows: int
    metrics: dict[str, float]
    train_metrics: dict[str, float]
    artifact: OnnxArtifact
    largest_difference: float
    example: dict[str, Any]
    holdout: HoldoutSet
    limits: Mapping[str, ColumnLimits] = field(default_factory=dict)
    more_metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


def train(
    recipe: Recipe[Any],
    parameters: Parameters,
    seed: int,
    data: Dataset | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> Trained:
    """Train and check one model; nothing is written anywhere. data: the recipe's own if None.

    Raises TrainingError when the data do not suffice, when ONNX does not agree, or is too large.
    """
    report = callbacks.report
    data = recipe.load() if data is None else data
    check_row_counts(recipe, data)
    train_x, test_x, train_y, test_y = split(recipe, data, seed)
    synthetic = " (synthetic)" if data.synthetic else ""
    report(f"data: {len(train_x)} rows to train, {len(test_x)} held out{synthetic}")
    estimator = _fit(recipe, recipe.build(parameters, seed), train_x, train_y, callbacks.progress)
    holdout = _predict(recipe, estimator, test_x, test_y)
    scores = evaluate(recipe.task, test_y, holdout.predicted)
    report("trained: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    exact = to_onnx(recipe, estimator)
    difference = check_agreement(recipe, exact, holdout)
    probed = check_probes(recipe, estimator, exact, holdout, seed)
    difference = max(difference, probed.agreement.largest)
    report(
        f"ONNX and {recipe.library} agree on {len(test_x) + probed.agreement.compared:,} records: largest difference "
        f"{difference:.1e}; {exact.bytes / 1e3:,.1f} kB"
    )
    chosen = ChosenArtifact(exact, holdout.predicted)
    if recipe.choose:
        chosen = recipe.choose(parameters, exact, holdout, report)
    check_size(recipe, chosen.artifact)
    return Trained(
        recipe=recipe,
        parameters=parameters,
        seed=seed,
        data=data,
        train_rows=len(train_x),
        test_rows=len(test_x),
        metrics=evaluate(recipe.task, test_y, chosen.predicted),
        train_metrics=evaluate(recipe.task, train_y, estimator.predict(train_x)),
        artifact=chosen.artifact,
        limits=probed.limits,
        largest_difference=difference,
        example=test_x.iloc[0].to_dict(),
        holdout=holdout,
        more_metrics=chosen.metrics,
        tags=chosen.tags,
        figures=_figures(recipe, test_y, chosen.predicted),
    )


def _fit(recipe: Recipe[Any], estimator: Estimator, rows: Any, target: Any, progress: ReportProgress) -> Estimator:
    try:
        return recipe.fit(estimator, rows, target, progress) if recipe.fit else estimator.fit(rows, target)
    except ValueError as error:  # scikit-learn raises it for data that it cannot learn from
        raise TrainingError(f"the training failed: {error}") from error


def _predict(recipe: Recipe[Any], estimator: Estimator, rows: Frame, target: Any) -> HoldoutSet:
    is_classification = recipe.task == "classification"
    probabilities = estimator.predict_proba(rows) if is_classification else None
    return HoldoutSet(rows, target, estimator.predict(rows), probabilities)


def _figures(recipe: Recipe[Any], expected: Any, predicted: Any) -> dict[str, Any]:
    from training.plots import confusion_matrix, residuals  # matplotlib takes a while to import

    if recipe.task == "classification":
        return {"confusion_matrix.png": confusion_matrix(expected, predicted, recipe.labels)}
    return {"residuals.png": residuals(expected, predicted)}
