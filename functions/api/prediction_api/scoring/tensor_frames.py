"""Tensors that come as tables: a column a tensor, its part in each record written flat, or a column a number."""

from collections.abc import Collection, Sequence
from typing import Any

from offpath.contracts.model_manifest import Tensor
from prediction_api.errors import BAD_REQUEST, INVALID_PARAMETER_VALUE, ScoringCode, ScoringError
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array


def frame_array(tensor: Tensor, columns: Collection[Sequence[Any]], rows: int) -> Array:
    """The tensor in a table's columns: one that holds lists or numbers, or one for each number. Raises ScoringError."""
    if not rows:
        raise ScoringError("the table has no rows", BAD_REQUEST if columns else INVALID_PARAMETER_VALUE)
    if len(columns) != 1:
        return _side_by_side(tensor, columns)
    if -1 in tensor.shape[1:] or tensor.shape[0] != -1:
        raise _misfit(tensor, "a table holds only tensors of which the first dimension is open, and no other")
    [cells] = columns
    if not any(isinstance(cell, list) for cell in cells):
        return _of_numbers(tensor, cells)
    return _of_lists(tensor, cells)


def _side_by_side(tensor: Tensor, columns: Collection[Sequence[Any]]) -> Array:
    if tensor.shape != (-1, len(columns)):
        raise _misfit(tensor, f"the table has {len(columns)} columns")
    return _converted(tensor, [list(row) for row in zip(*columns, strict=True)], BAD_REQUEST)


def _of_numbers(tensor: Tensor, cells: Sequence[Any]) -> Array:
    if tensor.shape not in {(-1,), (-1, 1)}:
        raise _misfit(tensor, "its column holds single values")
    return _converted(tensor, list(cells), BAD_REQUEST).reshape(tensor.shape)


def _of_lists(tensor: Tensor, cells: Sequence[Any]) -> Array:
    flat = _converted(tensor, list(cells), INVALID_PARAMETER_VALUE)
    if flat.ndim != 2 or flat.size != len(cells) * _size(tensor):
        raise _misfit(tensor, f"its column holds lists of the shape {list(flat.shape[1:])}; expected flat ones")
    return flat.reshape(tensor.shape)


def _size(tensor: Tensor) -> int:
    size = 1
    for length in tensor.shape[1:]:
        size *= length
    return size


def _converted(tensor: Tensor, values: Any, code: ScoringCode) -> Array:
    try:
        return to_array(values, tensor.dtype)
    except ValueError as error:
        raise ScoringError(f"tensor {tensor.key}: {error}", code) from error


def _misfit(tensor: Tensor, reason: str) -> ScoringError:
    return ScoringError(f"tensor {tensor.key} of the shape {list(tensor.shape)}: {reason}", INVALID_PARAMETER_VALUE)
