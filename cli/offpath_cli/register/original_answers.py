"""Ask the original about records."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.native import ExpectedAnswers, predict_unchecked
from offpath_cli.register.original import Original
from offpath_cli.register.record_forms import RecordForms
from training.probes.answers import Answer, Ask, Record
from training.probes.asking import ask_all


def original_ask(original: Original, model_task: ModelTask, forms: RecordForms) -> Ask:
    """Return the function that asks the original, by its own library; what it raises is its refusal."""

    def ask(records: Sequence[Record]) -> list[Answer]:
        expected = predict_unchecked(original, model_task, forms.rows(records))
        return _tied(_answers(expected, len(records)), expected.ties)

    return ask_all(ask, (Exception,))


def _answers(expected: ExpectedAnswers, records: int) -> list[Answer]:
    if expected.values is not None:
        rows = np.asarray(expected.values, float).reshape(records, -1)
        return [_value_answer(row) for row in rows.tolist()]
    labels = expected.labels or []
    leads: Sequence[float | None] = [None] * len(labels) if expected.leads is None else expected.leads
    if expected.probabilities is None:
        return [Answer(label, lead=lead) for label, lead in zip(labels, leads, strict=True)]
    rows = np.asarray(expected.probabilities, float).tolist()
    return [_class_answer(label, row, lead) for label, row, lead in zip(labels, rows, leads, strict=True)]


def _tied(answers: list[Answer], ties: Sequence[bool] | None) -> list[Answer]:
    if ties is None:
        return answers
    return [replace(answer, is_tied=tied) for answer, tied in zip(answers, ties, strict=True)]


def served_answers(predictions: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Return the API's predictions as answers."""
    return [_served(prediction) for prediction in predictions]


def _served(prediction: Mapping[str, Any]) -> Answer:
    if "label" in prediction:
        parts = prediction.get("probabilities")
        return Answer(prediction["label"], None if parts is None else tuple(parts.values()))
    return Answer(values=tuple(np.asarray(prediction["value"], float).reshape(-1).tolist()))


def _value_answer(row: Sequence[float]) -> Answer:
    if not all(map(math.isfinite, row)):
        return Answer(refused="its values are not finite")
    return Answer(values=tuple(row))


def _class_answer(label: str, row: Sequence[float], lead: float | None) -> Answer:
    """Return a class with its probabilities. lead: of its scores; that of the probabilities is as good."""
    if not all(map(math.isfinite, row)):
        return Answer(refused="its probabilities are not finite")
    ordered = sorted(row, reverse=True)
    apart = ordered[0] - ordered[1] if len(ordered) > 1 else None
    leads = [one for one in (lead, apart) if one is not None]
    return Answer(label, tuple(row), lead=min(leads, default=None))
