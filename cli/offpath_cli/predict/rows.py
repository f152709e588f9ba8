"""Read the rows of a table or of JSON lines, one after the other, however long the file is."""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from offpath.contracts.model_manifest import Column, ColumnType
from offpath_cli.errors import PredictError

CSV, JSON_LINES = ".csv", ".jsonl"
_FORMATS = {".csv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES, ".json": JSON_LINES}
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
# What pandas and others write for a value that is missing; in a column of texts each is a text.
_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# In characters, of one cell: no request may be larger.
_LONGEST_CELL = 6_000_000

# In characters, of a line that cannot be read.
_SHOWN = 1_000

# The text of a cell → the value that JSON has for it. Raises ValueError.
Convert = Callable[[str], Any]
_CONVERT: Mapping[ColumnType, Convert] = {
    "double": lambda text: _number(text, float),
    "float": lambda text: _number(text, float),
    "long": lambda text: _number(text, int),
    "integer": lambda text: _number(text, int),
    "boolean": lambda text: _BOOLEANS[text.strip().lower()],
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file. number: from 1. given: what the file has. record: what the model gets; None if unreadable.

    problem: why it is unreadable.
    """

    number: int
    given: Mapping[str, Any]
    record: Any
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is open. header: the names of a table's columns. position: how many of its bytes were read."""

    rows: Iterator[Row]
    header: Sequence[str]
    position: Callable[[], int]


def format_of(path: Path) -> str:
    """Return CSV or JSON_LINES by the file's name. Raises PredictError."""
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise PredictError(f"{path}: expected a name that ends in one of {', '.join(_FORMATS)}")
    return found


@contextmanager
def open_rows(path: Path, columns: Sequence[Column]) -> Iterator[Table]:
    """Open a file for reading. columns: of the signature; none for a model of tensors. Raises PredictError."""
    try:
        with path.open("rb") as raw:
            text = TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            if format_of(path) == JSON_LINES:
                yield Table(_json_rows(text, columns), (), raw.tell)
            elif columns:
                lines = _table_lines(path, text)
                header = _header(path, next(lines, []), columns)
                yield Table(_csv_rows(lines, header, columns), header, raw.tell)
            else:
                raise PredictError(f"{path}: the model takes tensors, which a table cannot say; send JSON lines")
    except OSError as error:
        raise PredictError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PredictError(f"{path} is not UTF-8: {error}; save it as UTF-8") from error


def _table_lines(path: Path, text: Iterable[str]) -> Iterator[list[str]]:
    """Yield the cells of each line of a table. Raises PredictError for what is no CSV."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(text, strict=True)
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error as error:
        raise PredictError(f"{path}, line {reader.line_num}: not CSV: {error}") from error


def _header(path: Path, header: list[str], columns: Sequence[Column]) -> list[str]:
    """Return the header. Raises PredictError for one that could be read in two ways, or is none of the model's."""
    names = [column.name for column in columns]
    if not header:
        raise PredictError(f"{path} is empty: expected a header with the columns {', '.join(names)}")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise PredictError(f"{path}: the header has {', '.join(twice)} more than once")
    missing = [column.name for column in columns if column.required and column.name not in header]
    if missing or not set(names) & set(header):
        lacking = ", ".join(missing or names)
        raise PredictError(f"{path}: the header lacks columns that the model needs: {lacking}; it has {header}")
    if problem := _misspelt(header, names):
        raise PredictError(f"{path}: {problem}")
    return header


def _misspelt(given: Collection[str], names: Sequence[str]) -> str:
    """Return what is wrong with a name that is a column's but for case and spaces, or nothing."""
    left_out = {name.strip().casefold(): name for name in names if name not in given}
    for name in given:
        meant = left_out.get(name.strip().casefold())
        if meant is not None and name not in names:
            return f"{name!r} is no column of the model's; is {meant!r} meant?"
    return ""


def _csv_rows(lines: Iterator[list[str]], header: Sequence[str], columns: Sequence[Column]) -> Iterator[Row]:
    for number, cells in enumerate(lines, 1):
        given = dict(zip(header, cells, strict=False))
        if len(cells) != len(header):
            problem = f"the row has {len(cells)} values, and the header {len(header)}"
            yield Row(number, given, None, problem)
        else:
            yield Row(number, given, _record(given, columns))


def _record(given: Mapping[str, str], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the columns of the signature, without those that have no value; of texts an empty one is a text."""
    found = ((column, given[column.name]) for column in columns if column.name in given)
    return {
        column.name: _value(column, text) for column, text in found if column.type == "string" or text not in _MISSING
    }


def _value(column: Column, text: str) -> Any:
    """Return a cell's value; a text that is none of its type stays one, for the API to say what is wrong."""
    try:
        return _CONVERT[column.type](text)
    except (KeyError, ValueError, OverflowError):
        return text


def _number(text: str, kind: type[float] | type[int]) -> float:
    """Return a number as JSON could have it. Raises ValueError for infinities, `1_000` and the like."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    return kind(text)


def _json_rows(text: TextIOWrapper, columns: Sequence[Column]) -> Iterator[Row]:
    names = [column.name for column in columns]
    for number, line in enumerate((line for line in text if line.strip()), 1):
        try:
            value = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            problem = f"the line is not JSON, of which each line holds one record: {error}"
            yield Row(number, {"line": line.rstrip()[:_SHOWN]}, None, problem)
            continue
        if not columns or not isinstance(value, dict):
            yield Row(number, {"inputs": value}, value)
            continue
        record = {name: cell for name, cell in value.items() if name in names}
        problem = _misspelt(value, names) if record else f"it has none of the model's columns {', '.join(names)}"
        yield Row(number, value, None if problem else record, problem)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
