"""Compare a recipe's estimator and its artifact on records that are made for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from offpath.contracts.model_manifest import Column, ColumnLimits, ColumnType
from training.onnx_artifact.convert import silence_warnings
from training.onnx_artifact.run import run
from training.probes.answers import TOLERANCE, Answer, Ask, Record, scales_of
from training.probes.asking import ask_all, in_parts
from training.probes.compare import Agreement, Comparison, Disagreement
from training.probes.draw import ProbeMaker
from training.probes.fields import Field
from training.probes.limits import with_limits
from training.probes.structure import structure_of
from training.recipe import Estimator, Frame, HoldoutSet, OnnxArtifact, Recipe, TrainingError

pd: Any = import_module("pandas")  # it is not typed

_RECORDS, _RECORDS_OF_TOKENS = 1_000, 60
# A recipe's graph takes its numbers in single precision: so large ones are no measures of anything.
_MOST = 1e6
_KINDS: Mapping[ColumnType, str] = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
}


@dataclass(frozen=True, slots=True)
class Probed:
    """Hold how nearly both forms agree, and by column which values the estimator refuses."""

    agreement: Agreement
    limits: Mapping[str, ColumnLimits]


def check_probes(
    recipe: Recipe[Any], estimator: Estimator, artifact: OnnxArtifact, holdout: HoldoutSet, seed: int
) -> Probed:
    """Return how nearly both agree on records at the edges of what they take, and on drawn ones. seed: of these.

    Raises TrainingError with the smallest record that has two answers.
    """
    examples = _records(recipe, holdout.features)
    ask, structure = _estimator_ask(recipe, estimator), structure_of(estimator)
    found = with_limits(ask, _fields(recipe, examples), examples, structure)
    limits = {field.name: field.limits for field in found if field.limits != ColumnLimits()}
    fields = [_bounded(field) for field in found]
    count = _RECORDS_OF_TOKENS if artifact.tokenizer else _RECORDS
    records = ProbeMaker(fields, examples, structure, ask, seed, count).records()
    comparison = Comparison(ask, records, ask(records), examples[0], seed, scales=scales_of(ask(examples)))
    try:
        return Probed(comparison.run(_artifact_ask(recipe, artifact)), limits)
    except Disagreement as error:
        raise TrainingError(f"{error}: not registered") from error


def _fields(recipe: Recipe[Any], examples: Sequence[Record]) -> list[Field]:
    return [
        Field(
            column.name,
            column.type,
            tuple(dict.fromkeys(record[column.name] for record in examples if column.name in record)),
            is_optional=not column.required,
        )
        for column in recipe.columns
    ]


def _bounded(field: Field) -> Field:
    if not field.is_number or field.limits.values is not None:
        return field
    least, most = field.limits.least, field.limits.most
    bounds = {
        "least": -_MOST if least is None else max(least, -_MOST),
        "most": _MOST if most is None else min(most, _MOST),
    }
    return replace(field, limits=field.limits.model_copy(update=bounds))


def _records(recipe: Recipe[Any], features: Frame) -> list[Record]:
    rows = features[recipe.column_names].to_dict("records")
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows]


def _frame(recipe: Recipe[Any], records: Sequence[Record]) -> Frame:
    return pd.DataFrame({column.name: _series(column, records) for column in recipe.columns})


def _series(column: Column, records: Sequence[Record]) -> Any:
    values = [record.get(column.name) for record in records]
    kind = _KINDS.get(column.type, "object")
    return pd.Series(values, dtype="float64" if None in values and kind != "object" else kind)


def _estimator_ask(recipe: Recipe[Any], estimator: Estimator) -> Ask:
    def ask(records: Sequence[Record]) -> list[Answer]:
        rows = _frame(recipe, records)
        with silence_warnings(), np.errstate(all="ignore"):  # of numbers that are too large
            predicted = np.asarray(estimator.predict(rows))
            probabilities = estimator.predict_proba(rows) if recipe.task == "classification" else None
        return _answers(predicted, probabilities)

    return ask_all(ask, (Exception,))


def _artifact_ask(recipe: Recipe[Any], artifact: OnnxArtifact) -> Ask:
    def ask(records: Sequence[Record]) -> list[Answer]:
        outputs = run(recipe, artifact, _frame(recipe, records))
        if recipe.task == "regression":
            return _answers(outputs["variable"], None)
        return _answers(outputs["label"], outputs["probabilities"])

    return in_parts(ask_all(ask, (ValueError, TypeError)), 200)


def _answers(predicted: Any, probabilities: Any) -> list[Answer]:
    if probabilities is None:
        return [_value(row) for row in np.asarray(predicted, float).reshape(len(predicted), -1).tolist()]
    ordered = np.sort(np.asarray(probabilities, float), axis=1)
    # In single precision two classes that are as likely up to the tolerance are a tie.
    leads = np.where(ordered[:, -1] - ordered[:, -2] <= TOLERANCE, 0.0, 1.0)
    rows = np.asarray(probabilities, float).tolist()
    return [
        Answer(str(int(label)), tuple(row), lead=float(lead))
        for label, row, lead in zip(predicted, rows, leads, strict=True)
    ]


def _value(row: Sequence[float]) -> Answer:
    finite = np.isfinite(row).all()
    return Answer(values=tuple(row)) if finite else Answer(refused="its values are not finite")
