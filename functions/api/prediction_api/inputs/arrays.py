"""From JSON's values to arrays of a type, without changing their meaning.

Texts that are numbers, whole numbers that are written `2.0`, and true and false as 1 and 0 are taken, as MLflow does.
Unlike there, nothing is cut off, wrapped around or made infinite to fit a type, and no text is true.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import DTypeLike

from prediction_api.inputs.batch import Array

_SHOWN = 80


def to_array(values: object, dtype: str) -> Array:
    """Return an array of that type (a NumPy name, or `str` for texts).

    values: a number, a text, or nested lists of them. null is not a number in an array of floats, and nothing in any
    other. Raises ValueError that says what does not fit.
    """
    kind = "str" if dtype == "str" else np.dtype(dtype).kind
    try:
        return _CONVERSIONS[kind](values, dtype)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"expected {dtype}: {_first_line(error)}") from error
    except ValueError as error:
        raise ValueError(f"expected {dtype}: {_explained(error)}") from error


def is_null(value: object) -> bool:
    """Whether a value is null or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def narrowed(array: Array, dtype: DTypeLike) -> Array:
    """Return floats as floats of another size. Raises ValueError for one that is finite and too large for it."""
    try:
        with np.errstate(over="raise"):
            return array.astype(dtype)
    except FloatingPointError:
        wanted = np.dtype(dtype)
        shown = array[np.isfinite(array) & (np.abs(array) > np.finfo(wanted).max)].reshape(-1)[0]
        raise ValueError(f"{shown} is too large for {wanted.name}") from None


def _floats(values: object, dtype: str) -> Array:
    return narrowed(np.array(values, np.float64), dtype)


def _integers(values: object, dtype: str) -> Array:
    found = np.array(values)
    if found.dtype.kind == "f":
        found = _whole(found)
    elif found.dtype.kind not in "iub":
        found = _whole_texts(values)
    limits = np.iinfo(np.dtype(dtype))
    outside = found[(found < limits.min) | (found > limits.max)]
    if outside.size:
        raise ValueError(f"{outside.reshape(-1)[0]} is not within {limits.min} and {limits.max}")
    return found.astype(dtype)


def _whole(numbers: Array) -> Array:
    broken = numbers[~(np.isfinite(numbers) & (np.abs(numbers) < 2.0**63) & (np.floor(numbers) == numbers))]
    if broken.size:
        raise ValueError(f"{broken.reshape(-1)[0]} is not a whole number")
    return numbers.astype(np.int64)


def _whole_texts(values: object) -> Array:
    """Return whole numbers among which there are texts, or ones over 63 bits."""
    found = np.array(values, np.object_)
    for value in found.reshape(-1).tolist():
        if not isinstance(value, int | str):
            raise ValueError(f"{_shown(value)} is not a whole number")  # noqa: TRY004
    return found.astype(np.int64)


def _booleans(values: object, dtype: str) -> Array:
    found = np.array(values)
    is_boolean = found.dtype.kind in "iubf" and bool(np.isin(found, (0, 1)).all())
    if not is_boolean:
        raise ValueError(f"{_shown(values)} is not, or holds more than, true and false")
    return found.astype(dtype)


def _texts(values: object, _: str) -> Array:
    found = np.array(values, np.object_)
    for value in found.reshape(-1).tolist():
        if not isinstance(value, str | int | float) or is_null(value):
            raise ValueError(f"{_shown(value)} is not a text")
    return np.array([str(value) for value in found.reshape(-1)], np.object_).reshape(found.shape)


# By NumPy's kinds of dtype, and `str`.
_CONVERSIONS: Mapping[str, Callable[[object, str], Array]] = {
    "f": _floats,
    "i": _integers,
    "u": _integers,
    "b": _booleans,
    "str": _texts,
}


def _explained(error: ValueError) -> str:
    if "sequence" in str(error):  # NumPy's words for it speak of its own insides
        return "the lists within it are not all of the same length"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
