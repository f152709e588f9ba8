"""A model's tensors: what a prediction request may hold, by the model's MLflow signature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from offpath.contracts.model_manifest import Tensor
from prediction_api.errors import FieldError, InvalidInputs
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array, Batch
from prediction_api.inputs.json_body import parse_object
from prediction_api.inputs.records import MAX_SHOWN
from prediction_api.inputs.shapes import check_shape, count_records, tensor_schema

_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}


class TensorSchema:
    """Reads request bodies for one model.

    A body is `{"inputs": nested lists}`, or with named tensors `{"inputs": {name: nested lists, …}}`.
    """

    def __init__(self, tensors: Sequence[Tensor], max_records: int) -> None:
        self._tensors = tensors
        self._max_records = max_records

    def read(self, body: bytes) -> Batch:
        """The tensors in a request body, of the signature's types and shapes. Raises PredictionApiError."""
        document = parse_object(body, "nested lists")
        if document.keys() != {"inputs"}:
            raise InvalidInputs(f"expected the field inputs alone, got {sorted(document)}"[:MAX_SHOWN])
        given = self._named(document["inputs"])
        arrays = {tensor.key: _array(tensor, given[tensor.key]) for tensor in self._tensors}
        return Batch(arrays, self._count(arrays))

    def inputs_schema(self, name: str) -> dict[str, Any]:
        """The JSON schema of `inputs`."""
        if len(self._tensors) == 1:
            return tensor_schema(self._tensors[0])
        properties = {tensor.key: tensor_schema(tensor) for tensor in self._tensors}
        return {"type": "object", "title": f"{name} tensors", "properties": properties, "required": list(properties)}

    def _named(self, inputs: Any) -> dict[str, Any]:
        names = [tensor.key for tensor in self._tensors]
        if len(names) == 1 and not isinstance(inputs, dict):
            return {names[0]: inputs}
        if not isinstance(inputs, dict) or inputs.keys() != set(names):
            got = str(sorted(inputs))[:MAX_SHOWN] if isinstance(inputs, dict) else type(inputs).__name__
            message = f"expected an object of the tensors {names}, got {got}"
            raise InvalidInputs("the tensors are not those of the model's signature", [FieldError("inputs", message)])
        return inputs

    def _count(self, arrays: dict[str, Array]) -> int:
        try:
            records = count_records(self._tensors, arrays)
        except ValueError as error:
            raise InvalidInputs(str(error), [FieldError("inputs", str(error))]) from error
        if not 1 <= records <= self._max_records:
            limit = f"expected 1 to {self._max_records} records, got {records}"
            raise InvalidInputs("the number of records is not within the limits", [FieldError("inputs", limit)])
        return records


def _array(tensor: Tensor, values: Any) -> Array:
    where = f"inputs.{tensor.name}" if tensor.name else "inputs"
    try:
        _check_kind(tensor, values)
        array = to_array(values, tensor.dtype)
        check_shape(tensor, array)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError("expected finite numbers")
    except ValueError as error:
        raise InvalidInputs("a tensor is not as the model's signature says", [FieldError(where, str(error))]) from error
    return array


def _check_kind(tensor: Tensor, values: Any) -> None:
    """Raises ValueError for texts, true or null in place of numbers, and for anything but texts in place of texts."""
    if tensor.dtype == "str":
        if not all(isinstance(value, str) for value in np.array(values, np.object_).reshape(-1)):
            raise ValueError("expected texts, all lists within a list of the same length")
        return
    try:
        found = np.array(values)
    except ValueError as error:
        raise ValueError("the lists within it are not all of the same length") from error
    if found.size and found.dtype.kind not in _KINDS[np.dtype(tensor.dtype).kind]:
        kind = "something else" if found.dtype.kind in "OU" else found.dtype.name
        raise ValueError(f"expected {tensor.dtype}, got {kind} in the shape {list(found.shape)}")
