"""From a model's raw outputs to the predictions of an answer."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, final

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.inputs.batch import Array as Output
from prediction_api.inputs.batch import Outputs


@final
class ClassPrediction(TypedDict):
    """One record's class. class_index: None for a label that the model's labels do not have."""

    label: str
    class_index: int | None
    probabilities: NotRequired[dict[str, float]]


@final
class ValuePrediction(TypedDict):
    """One record's value in a regression: a number, or nested lists of numbers."""

    value: JsonValue


Prediction = ClassPrediction | ValuePrediction


def format_predictions(version: ModelVersion, outputs: Outputs, records: int) -> Sequence[Prediction]:
    """Return one prediction a record, of the kind that the model's task is.

    Raises ValueError for outputs of another form.
    """
    arrays = list(outputs.values())
    if version.task == "classification":
        return format_classes(arrays, version.labels)
    return format_values(arrays, records)


def label_of(prediction: Prediction) -> str | None:
    """Return the label of a classified record; None for a regression's value."""
    if "label" in prediction:
        return prediction["label"]
    return None


def format_classes(outputs: Sequence[Output], labels: Sequence[str]) -> list[ClassPrediction]:
    """Return label, class index and, where the model gives them, probabilities by label.

    outputs: a class index or label a record, of shape [records] or [records, 1], or probabilities of shape
    [records, classes], or both, in any order. Raises ValueError when there is neither, or one that is not finite.
    """
    _check_finite(outputs)
    probabilities = next((output for output in outputs if _is_probabilities(output)), None)
    if probabilities is not None:
        return _by_probability(probabilities, labels)
    classes = next((output for output in outputs if output.dtype.kind in "iuOSU"), None)
    if classes is None:
        raise ValueError("the model gives neither classes nor probabilities")
    return [_by_class(value, labels) for value in classes.reshape(-1).tolist()]


def format_values(outputs: Sequence[Output], records: int) -> list[ValuePrediction]:
    """Return the value a record, from the first output: a number where it has one a record, else nested lists.

    Raises ValueError for a value that is not finite, or an output whose first dimension does not count the records.
    """
    first = outputs[0]
    _check_finite([first])
    if first.size == records:
        return [{"value": value} for value in first.reshape(-1).tolist()]
    if first.shape[:1] != (records,):
        raise ValueError(f"the model's output of the shape {list(first.shape)} is not one value for each of {records}")
    return [{"value": value} for value in first.tolist()]


def _check_finite(outputs: Sequence[Output]) -> None:
    """Raise ValueError for a number that is not finite: JSON cannot write it, and no caller can use it."""
    if not all(np.isfinite(output).all() for output in outputs if output.dtype.kind == "f"):
        raise ValueError("the model's output is not finite for these inputs")


def _is_probabilities(output: Output) -> bool:
    return output.dtype.kind == "f" and output.ndim == 2


def _by_probability(probabilities: Output, labels: Sequence[str]) -> list[ClassPrediction]:
    names = labels or [str(index) for index in range(probabilities.shape[1])]
    if len(names) != probabilities.shape[1]:
        raise ValueError(f"the model gives {probabilities.shape[1]} probabilities a record for {len(names)} labels")
    winners = probabilities.argmax(axis=1).tolist()
    return [
        {"label": names[index], "class_index": index, "probabilities": dict(zip(names, row, strict=True))}
        for index, row in zip(winners, probabilities.tolist(), strict=True)
    ]


def _by_class(value: int | str | bytes, labels: Sequence[str]) -> ClassPrediction:
    if isinstance(value, int):
        return {"label": labels[value] if labels else str(value), "class_index": value}
    label = value.decode() if isinstance(value, bytes) else value
    return {"label": label, "class_index": labels.index(label) if label in labels else None}
