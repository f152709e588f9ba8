"""Tables, in the ways that the protocol writes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prediction_api.errors import BAD_REQUEST, INVALID_PARAMETER_VALUE, ScoringCode, ScoringError
from prediction_api.scoring.lazy_columns import Key, RecordColumns, RepeatedColumns


@dataclass(frozen=True, slots=True)
class Frame:
    """Values by column.

    columns: by name; by position where there are no names. late: columns of which MLflow finds what does not fit only
    when it compares them with the signature. is_by_value: whether it converts value by value, and so finds lists among
    values only then, too. nested_code: its code for lists in place of all values.
    """

    columns: Mapping[Key, Sequence[Any]]
    rows: int
    late: frozenset[Key] = field(default_factory=frozenset)
    is_by_value: bool = False
    nested_code: ScoringCode = BAD_REQUEST


def split_frame(data: Any) -> Frame:
    """`{"columns": […], "data": [[…], …]}`, with or without `index`, which says nothing here. Raises ScoringError."""
    if not isinstance(data, dict) or "data" not in data or data.keys() - {"columns", "data", "index"}:
        raise ScoringError(f"dataframe_split: expected an object of columns, data and perhaps index, got {_kind(data)}")
    rows, names, index = data["data"], data.get("columns"), data.get("index")
    if not isinstance(rows, list) or not isinstance(names, list | None) or not isinstance(index, list | None):
        raise ScoringError("dataframe_split: columns, data and index are lists")
    if index is not None and len(index) != len(rows):
        raise ScoringError(f"dataframe_split: index has {len(index)} entries for {len(rows)} rows")
    return _table(names, [row if isinstance(row, list) else [row] for row in rows], "dataframe_split")


def records_frame(data: Any) -> Frame:
    """`[{column: value, …}, …]`; what a record leaves out is null. Raises ScoringError."""
    if not isinstance(data, list):
        raise ScoringError(f"dataframe_records: expected a list of records, got {_kind(data)}")
    if data and not any(isinstance(row, dict) for row in data):
        return _table(None, [row if isinstance(row, list) else [row] for row in data], "dataframe_records")
    return Frame(_columns_of(data, "dataframe_records"), len(data))


def rows_frame(data: Sequence[Any], form: str) -> Frame:
    """Records under `inputs` or `instances`; under `instances` each has the same fields. Raises ScoringError."""
    columns = _columns_of(data, form)
    incomplete = columns.incomplete
    if form == "instances" and incomplete:
        raise ScoringError(f"instances: not every record has {sorted(incomplete, key=str)[:20]}")
    return Frame(columns, len(data), incomplete, form == "inputs", INVALID_PARAMETER_VALUE)


def columns_frame(data: Mapping[Key, Any], form: str) -> Frame:
    """`{column: [value, …], …}`; a single value stands in each row. Raises ScoringError."""
    lengths = {name: len(values) for name, values in data.items() if isinstance(values, list)}
    if len(set(lengths.values())) > 1:
        code = BAD_REQUEST if form == "instances" else INVALID_PARAMETER_VALUE
        raise ScoringError(f"{form}: the columns are not of one length: {dict(list(lengths.items())[:20])}", code)
    rows = next(iter(lengths.values()), 1)
    return Frame(RepeatedColumns(data, rows), rows, nested_code=INVALID_PARAMETER_VALUE)


def _columns_of(data: Sequence[Any], form: str) -> RecordColumns:
    if not all(isinstance(row, dict) for row in data):
        raise ScoringError(f"{form}: some records are objects and some are not")
    return RecordColumns(data)


def _table(names: list[Any] | None, rows: list[list[Any]], form: str) -> Frame:
    width = len(names) if names is not None else max(map(len, rows), default=0)
    wrong = next((index for index, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        raise ScoringError(f"{form}: row {wrong} has {len(rows[wrong])} values, expected {width}")
    keys: list[Any] = list(range(width)) if names is None else names
    if any(isinstance(key, dict | list) for key in keys) or len(set(keys)) != width:
        raise ScoringError(f"{form}: columns are names, each of them once")
    return Frame({key: [row[at] for row in rows] for at, key in enumerate(keys)}, len(rows))


def _kind(data: Any) -> str:
    return f"an object of {sorted(map(str, data))[:20]}" if isinstance(data, dict) else type(data).__name__


FRAMES: Mapping[str, Callable[[Any], Frame]] = {"dataframe_split": split_frame, "dataframe_records": records_frame}
