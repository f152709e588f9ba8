"""Read the signature that an ONNX graph itself has."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array
from onnx import ModelProto, ValueInfoProto, helper

from offpath_cli.errors import ModelRefused
from offpath_cli.register.example_inputs import infer_inputs
from offpath_cli.register.examples import Example, Records

Dtype: TypeAlias = "np.dtype[np.generic]"

_COLUMNS: dict[Dtype, DataType] = {
    np.dtype(np.float32): DataType.float,
    np.dtype(np.float64): DataType.double,
    np.dtype(np.int64): DataType.long,
    np.dtype(np.int32): DataType.integer,
    np.dtype(np.bool_): DataType.boolean,
    np.dtype(np.object_): DataType.string,
}


def graph_inputs(model: ModelProto, example: Example | None) -> Schema:
    """Return columns where the graph takes a value a record by each name, or the example names those of its one matrix.

    Otherwise they are tensors, of the graph's own types and shapes.
    """
    entries = _entries(model)
    _check_inputs(entries)
    if all(_is_column(entry) for entry in entries):
        return Schema([ColSpec(_COLUMNS[_dtype(entry)], entry.name) for entry in entries])
    if isinstance(example, Records) and len(entries) == 1:
        return infer_inputs(example)
    return _tensors(entries)


def graph_outputs(model: ModelProto, *, as_columns: bool) -> Schema | None:
    """Return the graph's outputs, as far as they are tensors of a known rank; None if none is."""
    entries = [entry for entry in model.graph.output if _shape(entry)]
    if not entries:
        return None
    if as_columns:
        columns: list[ColSpec | TensorSpec] = [
            ColSpec(_column_type(entry), entry.name) for entry in entries if _dtype(entry) in _COLUMNS
        ]
        return Schema(columns) if columns else None
    return _tensors(entries)


def _check_inputs(entries: Sequence[ValueInfoProto]) -> None:
    """Raise ModelRefused for inputs that no request can fill: none at all, sequences, or of no known rank."""
    if not entries:
        raise ModelRefused("its graph has no input, so that each record would get the same answer")
    for entry in entries:
        kind = str(entry.type.WhichOneof("value") or "nothing").removesuffix("_type")
        if kind != "tensor":
            raise ModelRefused(f"its input {entry.name!r} is a {kind}, and not a tensor: export it with tensors alone")
        if not _shape(entry):
            raise ModelRefused(
                f"its input {entry.name!r} has no dimension, or an unknown number of them: export it with a shape "
                "whose first dimension counts the records, such as [None, 4]"
            )


def _tensors(entries: Sequence[ValueInfoProto]) -> Schema:
    return Schema([TensorSpec(_dtype(entry), tuple(_shape(entry)), entry.name) for entry in entries])


def _column_type(entry: ValueInfoProto) -> DataType | Array:
    plain = _COLUMNS[_dtype(entry)]
    return plain if len(_shape(entry)) == 1 or _shape(entry)[1] == 1 else Array(plain)


def _entries(model: ModelProto) -> list[ValueInfoProto]:
    constants = {initializer.name for initializer in model.graph.initializer}
    return [entry for entry in model.graph.input if entry.name not in constants]


def _is_column(entry: ValueInfoProto) -> bool:
    shape = _shape(entry)
    return _dtype(entry) in _COLUMNS and shape in ([-1], [-1, 1])


def _dtype(entry: ValueInfoProto) -> Dtype:
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type))
    return np.dtype(np.object_) if dtype.kind in "OSU" else dtype


def _shape(entry: ValueInfoProto) -> list[int]:
    return [step.dim_value if step.dim_value > 0 else -1 for step in entry.type.tensor_type.shape.dim]
