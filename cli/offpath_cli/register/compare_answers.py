"""Compare the answers of the served model with the original's predictions."""

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from offpath_cli.errors import AnswersDiffer
from offpath_cli.register.native import Array, ExpectedAnswers
from training.onnx_artifact.agreement import TOLERANCE, is_tolerable, largest_difference, relative_difference
from training.probes.compare import Disagreement

_ADVICE = (
    "Either the converter does not know all that this model does (its objective, categories, missing values, ties), or "
    "single precision is not enough for its numbers. Train it without that, or convert it in another way and register "
    "the .onnx file"
)


class AnsweredRecord(TypedDict, total=False):
    """The answer to one record, as the API gives it: of a regression a value, else a label."""

    value: object
    label: str
    probabilities: dict[str, float]


def disagreement(found: Disagreement) -> AnswersDiffer:
    """Return the error for a record that the two forms answer otherwise."""
    return AnswersDiffer(str(found) if found.why else f"{found}. {_ADVICE}")


def compare_answers(answers: Sequence[AnsweredRecord], expected: ExpectedAnswers) -> float:
    """Return the largest difference: of probabilities, or relative to a regression's values; 0 of labels alone.

    Raises AnswersDiffer for a difference over the tolerance, or another label.
    """
    if expected.values is not None:
        values = np.array([answer["value"] for answer in answers], dtype=float)
        return _tolerable(_difference(values, expected.values, relative_difference))
    _compare_labels([answer["label"] for answer in answers], expected.labels or [])
    if expected.probabilities is None:
        return 0.0
    probabilities = np.array([list(answer["probabilities"].values()) for answer in answers], dtype=float)
    return _tolerable(_difference(probabilities, expected.probabilities, largest_difference))


def _compare_labels(given: Sequence[str], expected: Sequence[str]) -> None:
    different = [index for index, label in enumerate(expected) if given[index] != label]
    if different:
        first = different[0]
        raise AnswersDiffer(
            f"ONNX Runtime and the original give {len(different)} of {len(given)} records another label; record "
            f"{first} is {given[first]!r} and {expected[first]!r}. {_ADVICE}"
        )


def _difference(given: Array, expected: Array, largest: Callable[[Array, Array], float]) -> float:
    numbers: NDArray[np.float64] = np.asarray(expected, dtype=float)
    if given.size != numbers.size:
        raise AnswersDiffer(f"ONNX gives the shape {list(given.shape)}, the original {list(numbers.shape)}")
    return largest(given.reshape(-1), numbers.reshape(-1))


def _tolerable(difference: float) -> float:
    if not is_tolerable(difference):
        raise AnswersDiffer(
            f"ONNX Runtime and the original differ by up to {difference:.2g}, over {TOLERANCE:.0e}. {_ADVICE}"
        )
    return difference
