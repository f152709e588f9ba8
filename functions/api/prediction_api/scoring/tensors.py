"""Requests for a model whose signature has tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

from offpath.contracts.model_manifest import Tensor
from prediction_api.errors import INVALID_PARAMETER_VALUE, ScoringError
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array, Batch
from prediction_api.inputs.shapes import check_shape, first_length
from prediction_api.scoring.frames import FRAMES, Frame, rows_frame
from prediction_api.scoring.limits import check_records
from prediction_api.scoring.tensor_frames import frame_array


class TensorReader:
    """Reads the protocol's forms for one signature."""

    def __init__(self, tensors: Sequence[Tensor], max_records: int) -> None:
        self._tensors = tensors
        self._named = all(tensor.name for tensor in tensors)
        self._max_records = max_records

    def read(self, form: str, data: Any) -> Batch:
        """The inputs in a form's data. Raises ScoringError."""
        if form in FRAMES:
            return self._batch(self._of_frame(FRAMES[form](data)))
        given = self._given(form, data)
        arrays = {tensor.key: _array(tensor, given[tensor.key]) for tensor in self._tensors if tensor.key in given}
        if missing := [tensor.key for tensor in self._tensors if tensor.key not in arrays]:
            raise ScoringError(f"tensors of the model's signature are missing: {missing}", INVALID_PARAMETER_VALUE)
        return self._batch(arrays, is_row_wise=form == "instances")

    def _given(self, form: str, data: Any) -> Mapping[Any, Any]:
        """Nested lists by tensor."""
        if isinstance(data, list) and any(isinstance(row, dict) for row in data):
            return self._stacked(form, data)
        if isinstance(data, dict | None):
            if not self._named or data is None:
                raise ScoringError(f"{form}: expected nested lists for the model's only tensor, which has no name")
            return data
        if len(self._tensors) > 1:
            raise ScoringError(f"{form}: expected an object of the tensors {self._names()}", INVALID_PARAMETER_VALUE)
        return {self._tensors[0].key: data}

    def _stacked(self, form: str, data: Sequence[Any]) -> Mapping[Any, Any]:
        """TensorFlow Serving's rows: an object a record, of each tensor's part in it."""
        if form == "inputs" or not self._named:
            raise ScoringError(f"{form}: expected tensors, got a list of objects", INVALID_PARAMETER_VALUE)
        return rows_frame(data, form).columns

    def _of_frame(self, frame: Frame) -> dict[str, Array]:
        check_records(frame.rows, self._max_records)
        if not self._named:
            return {self._tensors[0].key: frame_array(self._tensors[0], frame.columns.values(), frame.rows)}
        if missing := [tensor.key for tensor in self._tensors if tensor.key not in frame.columns]:
            raise ScoringError(f"columns of the model's tensors are missing: {missing}", INVALID_PARAMETER_VALUE)
        return {tensor.key: frame_array(tensor, [frame.columns[tensor.key]], frame.rows) for tensor in self._tensors}

    def _batch(self, arrays: dict[str, Array], *, is_row_wise: bool = False) -> Batch:
        if is_row_wise and len({array.shape[:1] for array in arrays.values()}) > 1:
            raise ScoringError("instances: the tensors are not of one number of records")
        try:
            for tensor in self._tensors:
                check_shape(tensor, arrays[tensor.key])
        except ValueError as error:
            raise ScoringError(f"tensor {tensor.key}: {error}", INVALID_PARAMETER_VALUE) from error
        check_records(max(map(len, arrays.values())), self._max_records)
        return Batch(arrays, first_length(self._tensors, arrays))

    def _names(self) -> list[str]:
        return [tensor.key for tensor in self._tensors]


def _array(tensor: Tensor, values: Any) -> Array:
    try:
        return to_array(values, tensor.dtype)
    except ValueError as error:
        raise ScoringError(f"tensor {tensor.key}: {error}") from error
