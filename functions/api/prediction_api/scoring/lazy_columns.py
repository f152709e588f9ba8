"""Columns that are put together when they are asked for.

A request may name far more columns than the model has: rows times names can be a thousand times the request's size.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Key = str | int


class RecordColumns(Mapping[Key, Sequence[Any]]):
    """The columns of records; what a record leaves out is None."""

    def __init__(self, records: Sequence[Mapping[Key, Any]]) -> None:
        self._records = records
        self._counts = Counter(name for record in records for name in record)

    def __getitem__(self, name: Key) -> Sequence[Any]:
        if name not in self._counts:
            raise KeyError(name)
        return [record.get(name) for record in self._records]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def incomplete(self) -> frozenset[Key]:
        """The names that some records leave out."""
        return frozenset(name for name, count in self._counts.items() if count < len(self._records))


class RepeatedColumns(Mapping[Key, Sequence[Any]]):
    """Columns, among them single values that stand in each row."""

    def __init__(self, columns: Mapping[Key, Any], rows: int) -> None:
        self._columns = columns
        self._rows = rows

    def __getitem__(self, name: Key) -> Sequence[Any]:
        values = self._columns[name]
        return values if isinstance(values, list) else [values] * self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
