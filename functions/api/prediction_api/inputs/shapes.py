"""Tensors against their signature."""

from collections.abc import Mapping, Sequence
from typing import Any

from offpath.contracts.model_manifest import Tensor
from prediction_api.inputs.batch import Array

# JSON's words for what an array may hold.
_WORDS = {"float": "number", "int": "integer", "uint": "integer", "bool": "boolean", "str": "string"}


def check_shape(tensor: Tensor, array: Array) -> None:
    """Raises ValueError that names the shape expected and the one given."""
    fits = len(array.shape) == len(tensor.shape) and all(
        wanted in {-1, given} for wanted, given in zip(tensor.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"expected the shape {_written(tensor.shape)}, got {_written(array.shape)}")


def count_records(tensors: Sequence[Tensor], arrays: Mapping[str, Array]) -> int:
    """How many records there are: the first dimension of each tensor where that may have any length.

    Raises ValueError where several of them differ.
    """
    lengths = {tensor.key: len(arrays[tensor.key]) for tensor in tensors if tensor.shape[0] == -1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the tensors are not of one number of records: {lengths}")
    return first_length(tensors, arrays)


def first_length(tensors: Sequence[Tensor], arrays: Mapping[str, Array]) -> int:
    """The first dimension of the first tensor where that may have any length."""
    counted = next((tensor for tensor in tensors if tensor.shape[0] == -1), tensors[0])
    return len(arrays[counted.key])


def tensor_schema(tensor: Tensor) -> dict[str, Any]:
    """The JSON schema of a tensor: nested arrays, the innermost dimension last."""
    word = _WORDS[tensor.dtype.rstrip("0123456789")]
    schema: dict[str, Any] = {"type": word}
    for length in reversed(tensor.shape):
        exact = {} if length == -1 else {"minItems": length, "maxItems": length}
        schema = {"type": "array", "items": schema, **exact}
    return schema | {"description": f"{tensor.dtype} of the shape {_written(tensor.shape)}"}


def _written(shape: Sequence[int]) -> str:
    return str(list(shape))
