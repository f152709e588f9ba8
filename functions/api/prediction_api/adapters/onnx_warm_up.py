"""The inputs that a graph is tried with before it answers requests."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import ColumnType, ModelVersion, Tensor
from prediction_api.adapters.onnx_feeds import GraphInput
from prediction_api.inputs.arrays import to_array
from prediction_api.inputs.batch import Array, Batch, batch_of
from prediction_api.inputs.tensors import count_records

_EXAMPLES: Mapping[ColumnType, JsonValue] = {
    "double": 0.0,
    "float": 0.0,
    "long": 0,
    "integer": 0,
    "boolean": False,
    "string": "",
}


def example_batch(version: ModelVersion, inputs: Sequence[GraphInput]) -> Batch:
    """Return the version's own example, or zeros and empty texts. Raises ValueError for one of another type."""
    tensors = version.signature.tensors
    if tensors:
        arrays = _examples(version, tensors) or {tensor.key: _zeros(tensor, inputs) for tensor in tensors}
        return Batch(arrays, count_records(tensors, arrays))
    columns, example = version.signature.columns, version.input_example
    record = example if isinstance(example, dict) else {column.name: _EXAMPLES[column.type] for column in columns}
    return batch_of([record], columns)


def _examples(version: ModelVersion, tensors: Sequence[Tensor]) -> dict[str, Array]:
    match version.input_example:
        case dict(named) if named:
            return {tensor.key: to_array(named[tensor.key], tensor.dtype) for tensor in tensors}
        case list(only) if only:
            return {tensors[0].key: to_array(only, tensors[0].dtype)}
        case _:
            return {}


def _zeros(tensor: Tensor, inputs: Sequence[GraphInput]) -> Array:
    """Return one record; dimensions that the signature leaves open have the graph's length, where it has one."""
    entry = next((entry for entry in inputs if entry.name == tensor.name), inputs[0])
    known = list(entry.shape) + [None] * len(tensor.shape)
    shape = [length if length != -1 else _length(given) for length, given in zip(tensor.shape, known, strict=False)]
    return np.full(shape, "", np.object_) if tensor.dtype == "str" else np.zeros(shape, tensor.dtype)


def _length(given: int | str | None) -> int:
    return given if isinstance(given, int) and given > 0 else 1
