"""Bring an input example into the forms that its readers want: the API, the original, and MLflow."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from mlflow.models import infer_signature
from mlflow.types import ColSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType
from numpy.typing import NDArray

from model_sync.signature import signature_of
from offpath.contracts.model_manifest import ColumnType, Signature, Tensor
from offpath_cli.errors import ModelRefused, first_line
from offpath_cli.register.examples import Example, Records, Row, Tensors, rows_of
from prediction_api.inputs.batch import can_be_absent

pd: Any = import_module("pandas")  # it is not typed

Array: TypeAlias = NDArray[Any]
MOST_LOGGED = 5
DTYPES: Mapping[ColumnType, type[np.generic]] = {
    "double": np.float64,
    "float": np.float32,
    "long": np.int64,
    "integer": np.int32,
    "boolean": np.bool_,
    "string": np.object_,
}


@dataclass(frozen=True, slots=True)
class ExampleInputs:
    """Hold an input example in the forms that its readers want.

    body: as a request holds it. rows: a data frame, or arrays, as the original takes it. records: how many there are.
    logged: the first of its records, as MLflow takes it.
    """

    body: bytes
    rows: object
    records: int
    logged: object


def served_signature(inputs: Schema) -> Signature:
    """Return the inputs as they are served. Raises Unservable that names the column or tensor that is not."""
    return signature_of(inputs.to_dict(), [])


def is_unknown(inputs: Schema) -> bool:
    """Return whether MLflow could not tell the columns, and so wrote one of any type, without a name."""
    return not inputs.is_tensor_spec() and all(one.name is None and isinstance(one.type, AnyType) for one in inputs)


def with_text_names(inputs: Schema) -> Schema:
    """Return the inputs with texts as names: JSON has no others, and a data frame of pandas' own has numbers."""
    if inputs.is_tensor_spec():
        return inputs
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(one.type, None if one.name is None else str(one.name), required=one.required) for one in inputs
    ]
    return Schema(columns)


def infer_inputs(example: Example) -> Schema:
    """Return the inputs that an example has: named columns, or tensors, their first dimension the records.

    Raises ModelRefused.
    """
    rows = pd.DataFrame(example.rows) if isinstance(example, Records) else _arrays(example)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of whole numbers, which cannot be missing later
            found: Schema = infer_signature(rows).inputs
    except Exception as error:  # mlflow raises what pandas and numpy do, too
        raise ModelRefused(f"the input example has no signature: {first_line(error)}") from error
    if is_unknown(found):
        kinds = ", ".join(f"{name} ({kind})" for name, kind in getattr(rows, "dtypes", {}).items())
        raise ModelRefused(f"MLflow has no type for one of its columns: {kinds or 'the example is no table'}")
    return found


def prepare_example(example: Example, signature: Signature) -> ExampleInputs:
    """Return the example as that signature reads it. Raises ModelRefused for one that is of something else."""
    try:
        return _of_tensors(example, signature) if signature.tensors else _of_records(example, signature)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ModelRefused(
            f"the input example is not as the signature says: {type(error).__name__}: {first_line(error)}"
        ) from error


def _of_records(example: Example, signature: Signature) -> ExampleInputs:
    rows = rows_of(example, [column.name for column in signature.columns])
    present = [{name: value for name, value in row.items() if not _is_missing(value)} for row in rows]
    _check_complete(present, signature)
    columns = {
        column.name: pd.Series([row.get(column.name) for row in rows], dtype=DTYPES[column.type])
        for column in signature.columns
    }
    body = json.dumps({"inputs": present}).encode()
    return ExampleInputs(body, pd.DataFrame(columns), len(rows), present[:MOST_LOGGED])


def _check_complete(rows: Sequence[Row], signature: Signature) -> None:
    needed = [column.name for column in signature.columns if not can_be_absent(column)]
    for index, row in enumerate(rows):
        if missing := [name for name in needed if name not in row]:
            raise ModelRefused(
                f"record {index} of the input example lacks {', '.join(missing)}, {_why(signature, missing)}"
            )


def _why(signature: Signature, missing: Sequence[str]) -> str:
    """Return why a column has to be there."""
    if any(column.required for column in signature.columns if column.name in missing):
        return "which the signature requires"
    return "which cannot be missing here, as neither true nor false says that: give it as a text, or as 0 and 1"


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _of_tensors(example: Example, signature: Signature) -> ExampleInputs:
    if isinstance(example, Records):
        raise ModelRefused(
            'the input example has records, and the signature tensors: expected {"inputs": nested lists}, or '
            '{"inputs": {name: nested lists}}'
        )
    arrays = {tensor.key: _array(example, tensor, signature) for tensor in signature.tensors}
    first = next(iter(arrays.values()))
    only = first if len(arrays) == 1 else None
    lists = {name: array.tolist() for name, array in arrays.items()}
    logged = {name: array[:MOST_LOGGED] for name, array in arrays.items()}
    has_names = signature.tensors[0].name is not None
    return ExampleInputs(
        body=json.dumps({"inputs": lists if only is None else only.tolist()}).encode(),
        rows=arrays if only is None else only,
        records=len(first),
        logged=logged if has_names else first[:MOST_LOGGED],
    )


def _array(example: Tensors, tensor: Tensor, signature: Signature) -> Array:
    lists = example.lists
    single = len(signature.tensors) == 1 and lists.keys() <= {None, tensor.key}
    values = next(iter(lists.values())) if single else lists[tensor.key]
    return np.array(values, np.object_ if tensor.dtype == "str" else tensor.dtype)


def _arrays(example: Tensors) -> Array | dict[str | None, Array]:
    arrays = {name: np.array(values) for name, values in example.lists.items()}
    return arrays[None] if arrays.keys() == {None} else arrays
