"""Tables, in the ways that the protocol writes them.

Columns are put together when they are asked for. A request may name far more columns than the model has: rows times
names can be a thousand times the request's size.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from prediction_api.errors import BAD_REQUEST, INVALID_PARAMETER_VALUE, ScoringCode, ScoringError

# By name; by position where there are no names. A name that is a number is not that text.
Columns = Mapping[Hashable, Sequence[JsonValue]]
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """Values by column.

    late: columns of which MLflow finds what does not fit only when it compares them with the signature. is_by_value:
    whether it converts value by value, and so finds lists among values only then, too. nested_code: its code for lists
    in place of all values.
    """

    columns: Columns
    rows: int
    late: frozenset[Hashable] = field(default_factory=frozenset)
    is_by_value: bool = False
    nested_code: ScoringCode = BAD_REQUEST


class RecordColumns(Columns):
    """The columns of records; a value that a record leaves out is None."""

    def __init__(self, records: Sequence[Mapping[str, JsonValue]]) -> None:
        self._records = records
        self._counts = Counter(name for record in records for name in record)

    def __getitem__(self, name: Hashable) -> Sequence[JsonValue]:
        if not isinstance(name, str) or name not in self._counts:
            raise KeyError(name)
        return [record.get(name) for record in self._records]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __contains__(self, name: object) -> bool:
        return name in self._counts

    @property
    def incomplete(self) -> frozenset[str]:
        """The names that some records leave out."""
        return frozenset(name for name, count in self._counts.items() if count < len(self._records))


class RepeatedColumns(Columns):
    """Columns, some of them a single value for all rows."""

    def __init__(self, columns: Mapping[str, JsonValue], rows: int) -> None:
        self._columns = columns
        self._rows = rows

    def __getitem__(self, name: Hashable) -> Sequence[JsonValue]:
        if not isinstance(name, str):
            raise KeyError(name)
        values = self._columns[name]
        return values if isinstance(values, list) else [values] * self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns


def check_records(records: int, most: int) -> None:
    """Raise ScoringError for more records than are taken."""
    if records > most:
        message = f"expected at most {most} records, got {records}; send fewer at a time"
        raise ScoringError(message, INVALID_PARAMETER_VALUE)


def split_frame(data: JsonValue) -> Frame:
    """Read `{"columns": […], "data": [[…], …]}`; `index` is allowed, and not used. Raises ScoringError."""
    if not isinstance(data, dict) or "data" not in data or data.keys() - {"columns", "data", "index"}:
        raise ScoringError(f"dataframe_split: expected an object of columns, data and perhaps index, got {_kind(data)}")
    rows, names, index = data["data"], data.get("columns"), data.get("index")
    if not isinstance(rows, list) or not isinstance(names, list | None) or not isinstance(index, list | None):
        raise ScoringError("dataframe_split: columns, data and index are lists")
    if index is not None and len(index) != len(rows):
        raise ScoringError(f"dataframe_split: index has {len(index)} entries for {len(rows)} rows")
    return _table(names, rows, "dataframe_split")


def records_frame(data: JsonValue) -> Frame:
    """Read `[{column: value, …}, …]`; a value that a record leaves out is null. Raises ScoringError."""
    if not isinstance(data, list):
        raise ScoringError(f"dataframe_records: expected a list of records, got {_kind(data)}")
    if data and not any(isinstance(row, dict) for row in data):
        return _table(None, data, "dataframe_records")
    return Frame(_record_columns(data, "dataframe_records"), len(data))


def rows_frame(data: Sequence[JsonValue], form: str) -> Frame:
    """Read records under `inputs` or `instances`; under `instances` each has the same fields. Raises ScoringError."""
    columns = _record_columns(data, form)
    incomplete = columns.incomplete
    if form == "instances" and incomplete:
        raise ScoringError(f"instances: not every record has {sorted(incomplete)[:MAX_LISTED]}")
    return Frame(columns, len(data), incomplete, form == "inputs", INVALID_PARAMETER_VALUE)


def columns_frame(data: Mapping[str, JsonValue], form: str) -> Frame:
    """Read `{column: [value, …], …}`; a single value is repeated in each row. Raises ScoringError."""
    lengths = {name: len(values) for name, values in data.items() if isinstance(values, list)}
    if len(set(lengths.values())) > 1:
        code = BAD_REQUEST if form == "instances" else INVALID_PARAMETER_VALUE
        raise ScoringError(
            f"{form}: the columns are not of one length: {dict(list(lengths.items())[:MAX_LISTED])}", code
        )
    rows = next(iter(lengths.values()), 1)
    return Frame(RepeatedColumns(data, rows), rows, nested_code=INVALID_PARAMETER_VALUE)


def _record_columns(data: Sequence[JsonValue], form: str) -> RecordColumns:
    records = [row for row in data if isinstance(row, dict)]
    if len(records) != len(data):
        raise ScoringError(f"{form}: some records are objects and some are not")
    return RecordColumns(records)


def _table(names: Sequence[JsonValue] | None, data: Sequence[JsonValue], form: str) -> Frame:
    rows = [row if isinstance(row, list) else [row] for row in data]
    width = len(names) if names is not None else max(map(len, rows), default=0)
    wrong = next((index for index, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        raise ScoringError(f"{form}: row {wrong} has {len(rows[wrong])} values, expected {width}")
    keys: list[Hashable] = [key for key in (range(width) if names is None else names) if isinstance(key, Hashable)]
    if len(set(keys)) != width:
        raise ScoringError(f"{form}: columns are names, each of them once")
    return Frame({key: [row[at] for row in rows] for at, key in enumerate(keys)}, len(rows))


def _kind(data: JsonValue) -> str:
    return f"an object of {sorted(data)[:MAX_LISTED]}" if isinstance(data, dict) else type(data).__name__


FRAMES: Mapping[str, Callable[[JsonValue], Frame]] = {
    "dataframe_split": split_frame,
    "dataframe_records": records_frame,
}
