"""Bring records into the forms that their readers want: the API's body, and the rows of the original."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from offpath.contracts.model_manifest import Column, ColumnType, Signature
from offpath_cli.register.example_inputs import DTYPES, ExampleInputs
from prediction_api.inputs.arrays import is_null
from training.probes.answers import Record
from training.probes.fields import Field

pd: Any = import_module("pandas")  # it is not typed

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class RecordForms:
    """Write records of a signature: of columns, or of one tensor of the shape [records, numbers].

    missing_texts: what the original takes for a missing text, by column: None or NaN.
    """

    signature: Signature
    missing_texts: Mapping[str, float | None] = field(default_factory=dict)

    def body(self, records: Sequence[Record]) -> bytes:
        """Return a request of these records."""
        if not self.signature.tensors:
            return json.dumps({"inputs": list(records)}).encode()
        return json.dumps({"inputs": self.lists(records)}).encode()

    def lists(self, records: Sequence[Record]) -> Any:
        """Return the records as nested lists; NaN for a number that is missing."""
        return self._numbers(records).tolist()

    def rows(self, records: Sequence[Record]) -> Any:
        """Return the records as the original takes them: a data frame, or an array."""
        if self.signature.tensors:
            return self._matrix(records)
        return pd.DataFrame({column.name: self._column(column, records) for column in self.signature.columns})

    def _column(self, column: Column, records: Sequence[Record]) -> Any:
        missing = self.missing_texts.get(column.name) if column.type == "string" else None
        values = [record.get(column.name, missing) for record in records]
        is_complete = all(value is not None for value in values)
        return pd.Series(values, dtype=DTYPES[column.type] if is_complete or column.type == "string" else np.float64)

    def _matrix(self, records: Sequence[Record]) -> Array:
        [tensor] = self.signature.tensors
        numbers = self._numbers(records)
        if not tensor.dtype.startswith("float") and not np.isfinite(numbers).all():
            return numbers
        with np.errstate(over="ignore"):  # what is too large for it is infinite there, and refused here
            return numbers.astype(tensor.dtype)

    def _numbers(self, records: Sequence[Record]) -> Array:
        """Return the numbers as JSON has them: whole ones where the tensor is of these."""
        [tensor] = self.signature.tensors
        names = [str(at) for at in range(tensor.shape[1])]
        rows = [[record.get(name, np.nan) for name in names] for record in records]
        is_whole = tensor.dtype.startswith(("int", "uint")) and all(len(record) == len(names) for record in records)
        return np.array(rows, np.int64 if is_whole else np.bool_ if tensor.dtype == "bool" else np.float64)


def has_records(signature: Signature) -> bool:
    """Return whether records can be made of it: columns, or one tensor of a row of numbers a record."""
    tensors = signature.tensors
    if not tensors:
        return True
    [first, *others] = tensors
    return not others and len(first.shape) == 2 and first.shape[0] == -1 and first.shape[1] > 0 and first.dtype != "str"


def fields_of(signature: Signature, example: ExampleInputs | None) -> list[Field]:
    """Return the fields of a record, with the values that the example has."""
    records = records_of(signature, example)
    if signature.tensors:
        [tensor] = signature.tensors
        kind, bounds = _kind(tensor.dtype)
        return [
            Field(str(at), kind, _values(records, str(at)), is_optional=kind == "double", bounds=bounds)
            for at in range(tensor.shape[1])
        ]
    return [
        Field(column.name, column.type, _values(records, column.name), is_optional=not column.required)
        for column in signature.columns
    ]


def _kind(dtype: str) -> tuple[ColumnType, tuple[int, int] | None]:
    """Return the kind of number that a tensor holds, and the bounds of whole ones."""
    if dtype.startswith("float"):
        return "double", None
    if dtype == "bool":
        return "boolean", None
    limits = np.iinfo(dtype)
    return "long" if limits.bits == 64 else "integer", (int(limits.min), int(limits.max))


def records_of(signature: Signature, example: ExampleInputs | None) -> list[Record]:
    """Return the example's records; of a tensor, its numbers by their position, without those that are missing."""
    if example is None:
        return []
    inputs = json.loads(example.body)["inputs"]
    if not signature.tensors:
        return [dict(record) for record in inputs]
    return [{str(at): value for at, value in enumerate(row) if not is_null(value)} for row in inputs]


def _values(records: Sequence[Record], name: str) -> tuple[Any, ...]:
    """Return the values of a field, each once; none that is infinite, between which nothing can be drawn."""
    found = (record[name] for record in records if name in record)
    return tuple(dict.fromkeys(value for value in found if not isinstance(value, float) or np.isfinite(value)))
