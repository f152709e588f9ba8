"""Requests for a model whose signature has tensors.

Tensors may come as tables, too: a column a tensor, its part in each record written flat, or a column a number.
"""

import math
from collections.abc import Collection, Hashable, Mapping, Sequence

from pydantic import JsonValue

from offpath.contracts.model_manifest import Tensor
from prediction_api.errors import BAD_REQUEST, INVALID_PARAMETER_VALUE, ScoringCode, ScoringError
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array, Batch
from prediction_api.inputs.limits import complaint
from prediction_api.inputs.tensors import check_shape, first_length
from prediction_api.scoring.frames import FRAMES, Frame, check_records, rows_frame


class TensorReader:
    """Reads the protocol's forms for one signature."""

    def __init__(self, tensors: Sequence[Tensor], max_records: int) -> None:
        self._tensors = tensors
        self._named = all(tensor.name for tensor in tensors)
        self._max_records = max_records

    def read(self, form: str, data: JsonValue) -> Batch:
        """Return the inputs in a form's data. Raises ScoringError."""
        if form in FRAMES:
            return self._batch(self._of_frame(FRAMES[form](data)))
        given = self._given(form, data)
        arrays = {tensor.key: _array(tensor, given[tensor.key]) for tensor in self._tensors if tensor.key in given}
        if missing := [tensor.key for tensor in self._tensors if tensor.key not in arrays]:
            raise ScoringError(f"tensors of the model's signature are missing: {missing}", INVALID_PARAMETER_VALUE)
        return self._batch(arrays, is_row_wise=form == "instances")

    def _given(self, form: str, data: JsonValue) -> Mapping[str, JsonValue] | Mapping[Hashable, Sequence[JsonValue]]:
        """Return nested lists by tensor."""
        if isinstance(data, list) and any(isinstance(row, dict) for row in data):
            return self._stacked(form, data)
        if isinstance(data, dict | None):
            if not self._named or data is None:
                raise ScoringError(f"{form}: expected nested lists for the model's only tensor, which has no name")
            return data
        if len(self._tensors) > 1:
            names = [tensor.key for tensor in self._tensors]
            raise ScoringError(f"{form}: expected an object of the tensors {names}", INVALID_PARAMETER_VALUE)
        return {self._tensors[0].key: data}

    def _stacked(self, form: str, data: Sequence[JsonValue]) -> Mapping[Hashable, Sequence[JsonValue]]:
        """Read TensorFlow Serving's rows: an object a record, of each tensor's part in it."""
        if form == "inputs" or not self._named:
            raise ScoringError(f"{form}: expected tensors, got a list of objects", INVALID_PARAMETER_VALUE)
        return rows_frame(data, form).columns

    def _of_frame(self, frame: Frame) -> dict[str, Array]:
        check_records(frame.rows, self._max_records)
        if not self._named:
            return {self._tensors[0].key: _frame_array(self._tensors[0], frame.columns.values(), frame.rows)}
        if missing := [tensor.key for tensor in self._tensors if tensor.key not in frame.columns]:
            raise ScoringError(f"columns of the model's tensors are missing: {missing}", INVALID_PARAMETER_VALUE)
        return {tensor.key: _frame_array(tensor, [frame.columns[tensor.key]], frame.rows) for tensor in self._tensors}

    def _batch(self, arrays: dict[str, Array], *, is_row_wise: bool = False) -> Batch:
        if is_row_wise and len({array.shape[:1] for array in arrays.values()}) > 1:
            raise ScoringError("instances: the tensors are not of one number of records")
        try:
            for tensor in self._tensors:
                check_shape(tensor, arrays[tensor.key])
        except ValueError as error:
            raise ScoringError(f"tensor {tensor.key}: {error}", INVALID_PARAMETER_VALUE) from error
        for tensor in self._tensors:
            _check_limits(tensor, arrays[tensor.key])
        check_records(max(map(len, arrays.values())), self._max_records)
        return Batch(arrays, first_length(self._tensors, arrays))


def _check_limits(tensor: Tensor, array: Array) -> None:
    """Raise ScoringError for the first number that the original refuses, with the record's number."""
    if tensor.limits is None or array.dtype.kind not in "fiu":
        return
    for index, row in enumerate(array.reshape(len(array), -1).tolist()):
        for value in row:
            if wrong := complaint(value, tensor.limits):
                raise ScoringError(f"tensor {tensor.key}, record {index}: {wrong}; got {value}")


def _frame_array(tensor: Tensor, columns: Collection[Sequence[JsonValue]], rows: int) -> Array:
    """Return the tensor in a table's columns: one that holds lists or numbers, or one for each number."""
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


def _side_by_side(tensor: Tensor, columns: Collection[Sequence[JsonValue]]) -> Array:
    if tensor.shape != (-1, len(columns)):
        raise _misfit(tensor, f"the table has {len(columns)} columns")
    return _array(tensor, [list(row) for row in zip(*columns, strict=True)])


def _of_numbers(tensor: Tensor, cells: Sequence[JsonValue]) -> Array:
    if tensor.shape not in {(-1,), (-1, 1)}:
        raise _misfit(tensor, "its column holds single values")
    return _array(tensor, list(cells)).reshape(tensor.shape)


def _of_lists(tensor: Tensor, cells: Sequence[JsonValue]) -> Array:
    flat = _array(tensor, list(cells), INVALID_PARAMETER_VALUE)
    if flat.ndim != 2 or flat.size != len(cells) * math.prod(tensor.shape[1:]):
        raise _misfit(tensor, f"its column holds lists of the shape {list(flat.shape[1:])}; expected flat ones")
    return flat.reshape(tensor.shape)


def _array(tensor: Tensor, values: object, code: ScoringCode = BAD_REQUEST) -> Array:
    try:
        return to_array(values, tensor.dtype)
    except ValueError as error:
        raise ScoringError(f"tensor {tensor.key}: {error}", code) from error


def _misfit(tensor: Tensor, reason: str) -> ScoringError:
    return ScoringError(f"tensor {tensor.key} of the shape {list(tensor.shape)}: {reason}", INVALID_PARAMETER_VALUE)
