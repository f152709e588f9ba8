"""Whether the served model answers as the original predicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offpath_cli.register.errors import Refused
from offpath_cli.register.native import Expected
from training.onnx_artifact.agreement import TOLERANCE, is_tolerable, largest_difference, relative_difference

_ADVICE = (
    "Either the converter does not know all that this model does (its objective, categories, missing values, ties), or "
    "single precision is not enough for its numbers. Train it without that, or convert it in another way and register "
    "the .onnx file"
)


class Disagreement(Refused):
    """The original and its ONNX form do not say the same."""


def check_agreement(answers: Sequence[Mapping[str, Any]], expected: Expected) -> float:
    """The largest difference: of probabilities, or relative to a regression's values; 0 of labels alone.

    answers: one a record, as the API gives them. Raises Disagreement for one over the tolerance, or another label.
    """
    if expected.values is not None:
        given = np.array([answer["value"] for answer in answers], dtype=float)
        return _tolerable(_same_shape(given, expected.values, relative_difference))
    labels = [answer["label"] for answer in answers]
    different = [index for index, label in enumerate(expected.labels or []) if labels[index] != label]
    if different:
        first = different[0]
        raise Disagreement(
            f"ONNX Runtime and the original give {len(different)} of {len(labels)} records another label; record "
            f"{first} is {labels[first]!r} and {(expected.labels or [])[first]!r}. {_ADVICE}"
        )
    if expected.probabilities is None:
        return 0.0
    given = np.array([list(answer["probabilities"].values()) for answer in answers], dtype=float)
    return _tolerable(_same_shape(given, expected.probabilities, largest_difference))


def _same_shape(given: Any, expected: Any, difference: Any) -> float:
    expected = np.asarray(expected, dtype=float)
    if given.size != expected.size:
        raise Disagreement(f"ONNX gives the shape {list(given.shape)}, the original {list(expected.shape)}")
    return float(difference(given.reshape(-1), expected.reshape(-1)))


def _tolerable(difference: float) -> float:
    if not is_tolerable(difference):
        raise Disagreement(
            f"ONNX Runtime and the original differ by up to {difference:.2g}, over {TOLERANCE:.0e}. {_ADVICE}"
        )
    return difference
