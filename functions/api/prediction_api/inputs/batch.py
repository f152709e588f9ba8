"""The inputs and outputs of one call of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from offpath.contracts.model_manifest import Column

Array = NDArray[Any]
Record = Mapping[str, JsonValue]
# By the graph's names, in its order; of shape [records, …] as a rule.
Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Batch:
    """The inputs of one call.

    values: by the signature's names, a list or an array of one value a record for each column, or an array for each
    tensor. records: how many there are.
    """

    values: Mapping[str, Sequence[JsonValue] | Array]
    records: int


def batch_of(records: Sequence[Record], columns: Sequence[Column]) -> Batch:
    """Return the records, column by column; `absent` fills in for what a record leaves out or has null for."""
    return Batch({column.name: _values(records, column) for column in columns}, len(records))


def _values(records: Sequence[Record], column: Column) -> list[JsonValue]:
    name = column.name
    if not can_be_absent(column):
        return [record[name] for record in records]
    missing = absent(column)
    return [missing if (value := record.get(name)) is None else value for record in records]


def can_be_absent(column: Column) -> bool:
    """Whether a record may leave the column out: whole numbers and booleans have no value that says so."""
    return not column.required and column.type in {"double", "float", "string"}


def absent(column: Column) -> str | float:
    """Return the value that a graph gets for one that is not there."""
    if column.type != "string":
        return np.nan
    return column.limits.absent if column.limits else ""
