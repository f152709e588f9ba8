"""What the model takes, and the input example in the forms that its readers want."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from mlflow.models import infer_signature
from mlflow.types import Schema

from model_sync.signature import signature_of
from offpath.contracts.model_manifest import ColumnType, Signature, Tensor
from offpath_cli.register.errors import Refused, first_line
from offpath_cli.register.examples import Example, Records, Tensors, rows_of
from prediction_api.inputs.batch import can_be_absent

pd: Any = import_module("pandas")  # it is not typed

MOST_LOGGED = 5
_DTYPES: Mapping[ColumnType, Any] = {
    "double": np.float64,
    "float": np.float32,
    "long": np.int64,
    "integer": np.int32,
    "boolean": np.bool_,
    "string": np.object_,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An input example. body: as a request holds it. data: a data frame, or arrays, as the original takes it.

    logged: the first of its records, as MLflow takes it.
    """

    body: bytes
    data: Any
    records: int
    logged: Any


def served_signature(inputs: Schema) -> Signature:
    """The inputs as they are served. Raises Unservable that names the column or tensor that is not."""
    return signature_of(inputs.to_dict(), [])


def inferred(example: Example) -> Schema:
    """The inputs that an example has: named columns, or tensors, their first dimension the records. Raises Refused."""
    data = pd.DataFrame(example.rows) if isinstance(example, Records) else _arrays(example)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of whole numbers, which cannot be missing later
            found: Schema = infer_signature(data).inputs
            return found
    except Exception as error:  # mlflow raises what pandas and numpy do, too
        raise Refused(f"the input example has no signature: {first_line(error)}") from error


def sample_of(example: Example, signature: Signature) -> Sample:
    """The example as that signature reads it. Raises Refused for one that is of something else."""
    try:
        return _tensors(example, signature) if signature.tensors else _records(example, signature)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Refused(
            f"the input example is not as the signature says: {type(error).__name__}: {first_line(error)}"
        ) from error


def _records(example: Example, signature: Signature) -> Sample:
    rows = rows_of(example, [column.name for column in signature.columns])
    present = [{name: value for name, value in row.items() if not _is_missing(value)} for row in rows]
    _check_complete(present, signature)
    columns = {
        column.name: pd.Series([row.get(column.name) for row in rows], dtype=_DTYPES[column.type])
        for column in signature.columns
    }
    frame = pd.DataFrame(columns)
    body = json.dumps({"inputs": present}).encode()
    return Sample(body, frame, len(rows), present[:MOST_LOGGED])


def _check_complete(rows: Sequence[Mapping[str, Any]], signature: Signature) -> None:
    needed = [column.name for column in signature.columns if not can_be_absent(column)]
    for index, row in enumerate(rows):
        if missing := [name for name in needed if name not in row]:
            raise Refused(
                f"record {index} of the input example lacks {', '.join(missing)}, which the signature requires"
            )


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _tensors(example: Example, signature: Signature) -> Sample:
    if isinstance(example, Records):
        raise Refused(
            'the input example has records, and the signature tensors: expected {"inputs": nested lists}, or '
            '{"inputs": {name: nested lists}}'
        )
    arrays = {tensor.key: _array(example, tensor, signature) for tensor in signature.tensors}
    lists = {name: array.tolist() for name, array in arrays.items()}
    only = next(iter(arrays.values())) if len(arrays) == 1 else None
    body = json.dumps({"inputs": lists if only is None else only.tolist()}).encode()
    first = {name: array[:MOST_LOGGED] for name, array in arrays.items()}
    named = signature.tensors[0].name is not None
    return Sample(
        body,
        arrays if only is None else only,
        len(next(iter(arrays.values()))),
        first if named else next(iter(first.values())),
    )


def _array(example: Tensors, tensor: Tensor, signature: Signature) -> Any:
    lists = example.lists
    single = len(signature.tensors) == 1 and lists.keys() <= {None, tensor.key}
    values = next(iter(lists.values())) if single else lists[tensor.key]
    return np.array(values, np.object_ if tensor.dtype == "str" else tensor.dtype)


def _arrays(example: Tensors) -> Any:
    arrays = {name: np.array(values) for name, values in example.lists.items()}
    return arrays[None] if arrays.keys() == {None} else arrays
