"""From a model's raw outputs to the predictions of an answer."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, final

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import ModelVersion
from offpath.contracts.names import CLASS_INDEX
from prediction_api.errors import FieldError, InvalidInputs
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
# A class as a graph gives it: its index, or its label.
ClassValue = int | str | bytes


def format_predictions(version: ModelVersion, outputs: Outputs, records: int) -> Sequence[Prediction]:
    """Return one prediction a record, of the kind that the model's task is.

    Raises ValueError for outputs of another form, and InvalidInputs for numbers that are not finite.
    """
    arrays = list(outputs.values())
    if version.task == "classification":
        found = format_classes(arrays, version.labels, are_indexes=CLASS_INDEX in outputs)
        if len(found) != records:
            raise ValueError(f"the model gives {len(found)} labels for {records} record(s): one a record is served")
        return found
    return format_values(arrays, records)


def label_of(prediction: Prediction) -> str | None:
    """Return the label of a classified record; None for a regression's value."""
    if "label" in prediction:
        return prediction["label"]
    return None


def format_classes(
    outputs: Sequence[Output], labels: Sequence[str], *, are_indexes: bool = False
) -> list[ClassPrediction]:
    """Return label, class index and, where the model gives them, probabilities by label.

    are_indexes: whether numbers are class indexes for sure. Otherwise one that is the name of the most probable class
    is taken for that name, as in graphs whose classes are numbers: 1 of 1 and 2.

    outputs: a class index or label a record, of shape [records] or [records, 1], or probabilities of shape
    [records, classes], or both, in any order. The class that the model names is the answer, whatever it thinks most
    probable: it may have a threshold of its own. Raises ValueError when there is neither, or a class index that no
    label has, and InvalidInputs for a record whose numbers are not finite.
    """
    _check_finite(outputs)
    probabilities = next((output for output in outputs if _is_probabilities(output)), None)
    classes = next((output for output in outputs if output.dtype.kind in "iuOSU"), None)
    given = None if classes is None else classes.reshape(-1).tolist()
    if probabilities is not None:
        return _with_probabilities(probabilities, given, labels, are_indexes=are_indexes)
    if given is None:
        raise ValueError("the model gives neither classes nor probabilities")
    return [_by_class(value, labels) for value in given]


def format_values(outputs: Sequence[Output], records: int) -> list[ValuePrediction]:
    """Return the value a record, from the first output: a number where it has one a record, else nested lists.

    Raises InvalidInputs for a value that is not finite, ValueError for an output whose first dimension does not count
    the records.
    """
    first = outputs[0]
    _check_finite([first])
    if first.size == records:
        return [{"value": value} for value in first.reshape(-1).tolist()]
    if first.shape[:1] != (records,):
        raise ValueError(f"the model's output of the shape {list(first.shape)} is not one value for each of {records}")
    return [{"value": value} for value in first.tolist()]


def _check_finite(outputs: Sequence[Output]) -> None:
    """Raise InvalidInputs for a number that is not finite: JSON cannot write it, and no caller can use it."""
    for output in outputs:
        if output.dtype.kind != "f" or (finite := np.isfinite(output)).all():
            continue
        record = int(np.argwhere(~finite)[0][0]) if output.ndim else 0
        message = "the model's answer to this record is not finite: its values are too large, or one is missing"
        raise InvalidInputs("the model has no answer to these inputs", [FieldError(f"inputs[{record}]", message)])


def _is_probabilities(output: Output) -> bool:
    return output.dtype.kind == "f" and output.ndim == 2


def _with_probabilities(
    probabilities: Output, classes: Sequence[ClassValue] | None, labels: Sequence[str], *, are_indexes: bool
) -> list[ClassPrediction]:
    names = labels or [str(index) for index in range(probabilities.shape[1])]
    if len(names) != probabilities.shape[1]:
        raise ValueError(f"the model gives {probabilities.shape[1]} probabilities a record for {len(names)} labels")
    likeliest: list[int] = probabilities.argmax(axis=1).tolist()
    rows = probabilities.tolist()
    if classes is None or classes in (likeliest, [names[index] for index in likeliest]):  # most requests, and quicker
        return [
            {"label": names[index], "class_index": index, "probabilities": dict(zip(names, row, strict=True))}
            for index, row in zip(likeliest, rows, strict=True)
        ]
    if len(classes) != len(likeliest):
        raise ValueError(f"the model gives {len(classes)} labels, and probabilities of {len(likeliest)} record(s)")
    return [
        {
            **_by_class(value if are_indexes else _read(value, index, names), names),
            "probabilities": dict(zip(names, row, strict=True)),
        }
        for value, index, row in zip(classes, likeliest, rows, strict=True)
    ]


def _read(value: ClassValue, likeliest: int, names: Sequence[str]) -> ClassValue:
    """Return the likeliest class where the value is its name."""
    return likeliest if str(value) == names[likeliest] else value


def _by_class(value: ClassValue, labels: Sequence[str]) -> ClassPrediction:
    if isinstance(value, int):
        if value < 0 or (labels and value >= len(labels)):
            raise ValueError(
                f"the model gives the class index {value}; its {len(labels)} labels are {', '.join(labels)}"
            )
        return {"label": labels[value] if labels else str(value), "class_index": value}
    label = value.decode() if isinstance(value, bytes) else value
    return {"label": label, "class_index": labels.index(label) if label in labels else None}
