"""From MLflow's signature to the manifest's: https://mlflow.org/docs/latest/ml/model/signatures/"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from model_sync.ports import Unservable
from offpath.contracts.model_manifest import Column, ColumnLimits, ColumnType, Signature, Tensor, TensorType

Entries = list[dict[str, Any]]
_TYPES = get_args(ColumnType)
_DTYPES = get_args(TensorType)
# An array of Python's objects: in an ONNX graph they can be texts alone.
_OBJECTS = "object"


def signature_of(inputs: Entries, outputs: Entries) -> Signature:
    """The signature. Raises Unservable for inputs that are not served; outputs of no type here are left out."""
    if all(entry.get("type") == "tensor" for entry in inputs):
        tensors = tuple(_tensor(entry) for entry in inputs)
        return _checked(tensors, tuple(_tensor(entry) for entry in outputs if _is_plain_tensor(entry)))
    return _checked(
        tuple(_column(entry) for entry in inputs), tuple(_column(entry) for entry in outputs if _is_plain(entry))
    )


def with_limits(signature: Signature, limits: Mapping[str, ColumnLimits]) -> Signature:
    """The signature with what the original refuses, by input. Raises Unservable for limits of none of its inputs."""
    keys = {entry.name if isinstance(entry, Column) else entry.key for entry in signature.inputs}
    if unknown := sorted(limits.keys() - keys):
        raise Unservable(f"its metadata has limits of {', '.join(unknown)}, which its signature has not")
    limited = tuple(
        entry.model_copy(update={"limits": limits.get(entry.name if isinstance(entry, Column) else entry.key)})
        for entry in signature.inputs
    )
    return signature.model_copy(update={"inputs": limited})


def _checked(inputs: Sequence[Column | Tensor], outputs: Sequence[Column | Tensor]) -> Signature:
    try:
        return Signature(inputs=tuple(inputs), outputs=tuple(outputs))
    except ValidationError as error:
        raise Unservable(f"its signature is not served: {error.errors()[0]['msg']}") from error


def _column(column: Mapping[str, Any]) -> Column:
    if not column.get("name"):
        raise Unservable("its signature has an input without a name: log it with named columns, or with tensors")
    if not _is_plain(column):
        kind = f"input {column['name']!r} of type {column.get('type')!r}"
        raise Unservable(f"its signature has the {kind}, which is not served: expected one of {', '.join(_TYPES)}")
    required = column.get("required", not column.get("optional", False))  # `optional` before MLflow 2.14
    return Column(name=column["name"], type=column["type"], required=required)


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    spec = entry.get("tensor-spec")
    dtype, shape = (spec.get("dtype"), spec.get("shape")) if isinstance(spec, dict) else (None, None)
    if dtype == _OBJECTS:
        dtype = "str"
    if dtype not in _DTYPES:
        raise Unservable(
            f"its signature has a tensor of type {dtype!r}, which is not served: expected one of {', '.join(_DTYPES)}"
        )
    try:
        return Tensor.model_validate({"name": entry.get("name"), "dtype": dtype, "shape": shape})
    except ValidationError as error:
        raise Unservable(
            f"its signature has a tensor of the shape {shape!r}, which is not served: {error.errors()[0]['msg']}"
        ) from error


def _is_plain(column: Mapping[str, Any]) -> bool:
    return bool(column.get("name")) and column.get("type") in _TYPES


def _is_plain_tensor(entry: Mapping[str, Any]) -> bool:
    spec = entry.get("tensor-spec")
    return isinstance(spec, dict) and bool(spec.get("shape")) and spec.get("dtype") in {*_DTYPES, _OBJECTS}
