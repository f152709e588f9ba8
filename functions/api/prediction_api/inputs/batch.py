"""What one call of a model takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from offpath.contracts.model_manifest import Column

Array = np.ndarray[Any, Any]
Record = dict[str, Any]
# By the graph's names, in its order; of shape [records, …] as a rule.
Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Batch:
    """The inputs of one call.

    values: by the signature's names, a list or an array of one value a record for each column, or an array for each
    tensor. records: how many there are.
    """

    values: Mapping[str, Sequence[Any] | Array]
    records: int


def batch_of(records: Sequence[Record], columns: Sequence[Column]) -> Batch:
    """The records, column by column; what an optional column leaves out is what a tensor says for it."""
    named = [(column.name, absent(column)) for column in columns]
    return Batch({name: [record.get(name, missing) for record in records] for name, missing in named}, len(records))


def can_be_absent(column: Column) -> bool:
    """Whether a record may leave it out: whole numbers and booleans have no value that says so."""
    return not column.required and column.type in {"double", "float", "string"}


def absent(column: Column) -> Any:
    """What stands for a value that is not there."""
    return "" if column.type == "string" else np.nan
