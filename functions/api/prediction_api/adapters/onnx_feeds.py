"""From a batch to the inputs of an ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import Column, ModelVersion, Tensor
from offpath.contracts.names import prepared_input
from prediction_api.errors import FieldError, InvalidInputs, ModelUnusable
from prediction_api.inputs.arrays import narrowed
from prediction_api.inputs.batch import Array, Batch
from prediction_api.inputs.field_errors import MAX_ERRORS
from prediction_api.inputs.text_terms import prepared_text

Feed = Callable[[Batch], dict[str, Array]]

Dtype = type[np.generic]

_DTYPES: Mapping[str, Dtype] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class GraphInput(Protocol):
    """An input as ONNX Runtime describes it. shape: a number, a name or None for each dimension."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def feeder(version: ModelVersion, inputs: Sequence[GraphInput]) -> Feed:
    """Return the function from a batch to the graph's inputs.

    Raises ModelUnusable for a graph that does not fit the signature.
    """
    tensors = version.signature.tensors
    return _tensor_feeder(version, tensors, inputs) if tensors else _column_feeder(version, inputs)


def _tensor_feeder(version: ModelVersion, tensors: Sequence[Tensor], inputs: Sequence[GraphInput]) -> Feed:
    pairs = _paired(version, tensors, inputs)
    dtypes = {entry.name: dtype_of(entry) for entry, _ in pairs}
    for entry, tensor in pairs:
        if not _castable(tensor, dtypes[entry.name]):
            raise ModelUnusable(
                f"{version.key} takes {entry.name!r} as {entry.type}, but the signature says {tensor.dtype}"
            )
    return lambda batch: {
        entry.name: _as(batch.values[tensor.key], dtypes[entry.name], tensor) for entry, tensor in pairs
    }


def _paired(
    version: ModelVersion, tensors: Sequence[Tensor], inputs: Sequence[GraphInput]
) -> list[tuple[GraphInput, Tensor]]:
    """Return each of the graph's inputs with the signature's tensor for it: by name, or the only one."""
    if len(inputs) == len(tensors) == 1:
        return [(inputs[0], tensors[0])]
    by_name = {tensor.key: tensor for tensor in tensors}
    names = sorted(entry.name for entry in inputs)
    if names != sorted(by_name):
        raise ModelUnusable(
            f"{version.key} takes the inputs {names}, but the signature has the tensors {sorted(by_name)}"
        )
    return [(entry, by_name[entry.name]) for entry in inputs]


def _castable(tensor: Tensor, dtype: Dtype) -> bool:
    if tensor.dtype == "str":
        return dtype is np.object_
    given, wanted = np.dtype(tensor.dtype), np.dtype(dtype)
    return bool(given == wanted) or given.kind == wanted.kind == "f"


def _as(values: Sequence[JsonValue] | Array, dtype: Dtype, tensor: Tensor) -> Array:
    array = np.asarray(values)
    if array.dtype == dtype:
        return array
    try:
        return narrowed(array, dtype)
    except ValueError as error:
        raise InvalidInputs(f"a value of {tensor.key} is too large for the model: {error}") from error


def _column_feeder(version: ModelVersion, inputs: Sequence[GraphInput]) -> Feed:
    columns = version.signature.columns
    names = [column.name for column in columns]
    dtypes = {entry.name: dtype_of(entry) for entry in inputs}
    by_input = {_input_name(column): column for column in columns}
    if set(dtypes) == set(by_input):
        shapes = {entry.name: (-1,) if len(entry.shape) == 1 else (-1, 1) for entry in inputs}
        return lambda batch: {
            name: _prepared(batch, column, dtypes[name]).reshape(shapes[name]) for name, column in by_input.items()
        }
    if len(inputs) == 1 and not any(map(_is_prepared, columns)):
        [(entry, dtype)] = dtypes.items()
        return lambda batch: {entry: np.stack([_column(batch, name, dtype) for name in names], axis=1)}
    raise ModelUnusable(f"{version.key} takes the inputs {sorted(dtypes)}, but the signature has the columns {names}")


def _is_prepared(column: Column) -> bool:
    return column.limits is not None and bool(column.limits.analyzers or column.limits.absent)


def _input_name(column: Column) -> str:
    return prepared_input(column.name) if _is_prepared(column) else column.name


def _prepared(batch: Batch, column: Column, dtype: Dtype) -> Array:
    """Return a column's values as the graph takes them: of a text its terms, where it wants these."""
    if column.limits is None or not column.limits.analyzers:
        return _column(batch, column.name, dtype)
    analyzers = column.limits.analyzers
    return np.array([prepared_text(str(text), analyzers) for text in batch.values[column.name]], np.object_)


def _column(batch: Batch, name: str, dtype: Dtype) -> Array:
    values = batch.values[name]
    try:
        with np.errstate(over="raise"):
            return np.array(values, dtype=np.float64).astype(dtype) if dtype is np.float32 else np.array(values, dtype)
    except (OverflowError, FloatingPointError):
        raise _too_large(values, name, dtype) from None


def _too_large(values: Sequence[JsonValue] | Array, name: str, dtype: Dtype) -> InvalidInputs:
    least, most = _limits(dtype)
    errors = [
        FieldError(f"inputs[{index}].{name}", f"too large for the model's {np.dtype(dtype).name}; got {value}")
        for index, value in enumerate(values)
        if isinstance(value, int | float | np.number) and not least <= value <= most
    ]
    detail = f"{len(errors)} field(s) are too large for the model"
    return InvalidInputs(detail, errors[:MAX_ERRORS])


def _limits(dtype: Dtype) -> tuple[float, float]:
    """Return the least and the largest number of that type."""
    if issubclass(dtype, np.integer):
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    assert issubclass(dtype, np.floating), dtype  # others do not overflow
    return float(np.finfo(dtype).min), float(np.finfo(dtype).max)


def dtype_of(entry: GraphInput) -> Dtype:
    """Return NumPy's type for an input. Raises ModelUnusable for one that is not supported."""
    try:
        return _DTYPES[entry.type]
    except KeyError:
        raise ModelUnusable(f"inputs of the type {entry.type} are not supported; {', '.join(_DTYPES)} are") from None
