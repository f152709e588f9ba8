"""A model's tensors: which of them a prediction request may hold, by the model's MLflow signature."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import Tensor
from prediction_api.errors import FieldError, InvalidInputs
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array, Batch
from prediction_api.inputs.field_errors import MAX_SHOWN
from prediction_api.inputs.json_body import parse_object
from prediction_api.inputs.limits import complaint

# The kinds of array that JSON may give for each kind of tensor, by NumPy's letters.
_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}
# JSON's names for what a tensor holds.
_JSON_TYPES = {"float": "number", "int": "integer", "uint": "integer", "bool": "boolean", "str": "string"}


class TensorSchema:
    """Reads request bodies for one model.

    A body is `{"inputs": nested lists}`, or with named tensors `{"inputs": {name: nested lists, …}}`.
    """

    def __init__(self, tensors: Sequence[Tensor], max_records: int) -> None:
        self._tensors = tensors
        self._max_records = max_records

    def read(self, body: bytes) -> Batch:
        """Return the tensors in a request body, of the signature's types and shapes. Raises PredictionApiError."""
        document = parse_object(body, "nested lists")
        if document.keys() != {"inputs"}:
            raise InvalidInputs(f"expected the field inputs alone, got {sorted(document)}"[:MAX_SHOWN])
        given = self._named(document["inputs"])
        arrays = {tensor.key: _array(tensor, given[tensor.key]) for tensor in self._tensors}
        return Batch(arrays, self._count(arrays))

    def inputs_schema(self, name: str) -> dict[str, JsonValue]:
        """Return the JSON schema of `inputs`, for the model of that name."""
        if len(self._tensors) == 1:
            return tensor_schema(self._tensors[0])
        properties: dict[str, JsonValue] = {tensor.key: tensor_schema(tensor) for tensor in self._tensors}
        return {"type": "object", "title": f"{name} tensors", "properties": properties, "required": [*properties]}

    def _named(self, inputs: JsonValue) -> dict[str, JsonValue]:
        names = [tensor.key for tensor in self._tensors]
        if len(names) == 1 and not isinstance(inputs, dict):
            return {names[0]: inputs}
        if not isinstance(inputs, dict) or inputs.keys() != set(names):
            got = str(sorted(inputs))[:MAX_SHOWN] if isinstance(inputs, dict) else type(inputs).__name__
            message = f"expected an object of the tensors {names}, got {got}"
            raise InvalidInputs("the tensors are not those of the model's signature", [FieldError("inputs", message)])
        return inputs

    def _count(self, arrays: Mapping[str, Array]) -> int:
        try:
            records = count_records(self._tensors, arrays)
        except ValueError as error:
            raise InvalidInputs(str(error), [FieldError("inputs", str(error))]) from error
        if not 1 <= records <= self._max_records:
            limit = f"expected 1 to {self._max_records} records, got {records}"
            raise InvalidInputs("the number of records is not within the limits", [FieldError("inputs", limit)])
        return records


def check_shape(tensor: Tensor, array: Array) -> None:
    """Raise ValueError that names the shape expected and the one given, where they differ."""
    fits = len(array.shape) == len(tensor.shape) and all(
        wanted in {-1, given} for wanted, given in zip(tensor.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"expected the shape {_shown(tensor.shape)}, got {_shown(array.shape)}")


def count_records(tensors: Sequence[Tensor], arrays: Mapping[str, Array]) -> int:
    """Return the number of records: the first dimension of each tensor where that may have any length.

    Raises ValueError where several of them differ.
    """
    lengths = {tensor.key: len(arrays[tensor.key]) for tensor in tensors if tensor.shape[0] == -1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the tensors are not of one number of records: {lengths}")
    return first_length(tensors, arrays)


def first_length(tensors: Sequence[Tensor], arrays: Mapping[str, Array]) -> int:
    """Return the first dimension of the first tensor where that may have any length."""
    counted = next((tensor for tensor in tensors if tensor.shape[0] == -1), tensors[0])
    return len(arrays[counted.key])


def tensor_schema(tensor: Tensor) -> dict[str, JsonValue]:
    """Return the JSON schema of a tensor: nested arrays, the innermost dimension last."""
    schema: dict[str, JsonValue] = {"type": _JSON_TYPES[tensor.dtype.rstrip("0123456789")]}
    for length in reversed(tensor.shape):
        exact = {} if length == -1 else {"minItems": length, "maxItems": length}
        schema = {"type": "array", "items": schema, **exact}
    return schema | {"description": f"{tensor.dtype} of the shape {_shown(tensor.shape)}"}


def _shown(shape: Sequence[int]) -> str:
    return str(list(shape))


def _array(tensor: Tensor, values: JsonValue) -> Array:
    where = f"inputs.{tensor.name}" if tensor.name else "inputs"
    try:
        _check_kind(tensor, values)
        array = to_array(values, tensor.dtype)
        check_shape(tensor, array)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError("expected finite numbers")
        _check_limits(tensor, array)
    except ValueError as error:
        raise InvalidInputs("a tensor is not as the model's signature says", [FieldError(where, str(error))]) from error
    return array


def _check_limits(tensor: Tensor, array: Array) -> None:
    """Raise ValueError for a number that the original refuses."""
    limits = tensor.limits
    if limits is None or not array.size or (limits.least is None and limits.most is None):
        return
    for extreme in (array.min(), array.max()):
        if wrong := complaint(float(extreme), limits):
            raise ValueError(f"{wrong}; got {extreme}")


def _check_kind(tensor: Tensor, values: JsonValue) -> None:
    """Raise ValueError for texts, true or null in place of numbers, and for anything but texts in place of texts."""
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
