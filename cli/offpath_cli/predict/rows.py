"""Read the rows of a table or of JSON lines, one after the other, however long the file is."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
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

# The text of a cell → the value that JSON has for it. Raises ValueError.
Convert = Callable[[str], Any]
_CONVERT: Mapping[ColumnType, Convert] = {
    "double": float,
    "float": float,
    "long": int,
    "integer": int,
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
                header = _header(path, text, columns)
                yield Table(_csv_rows(text, header, columns), header, raw.tell)
            else:
                raise PredictError(f"{path}: the model takes tensors, which a table cannot say; send JSON lines")
    except OSError as error:
        raise PredictError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PredictError(f"{path} is not UTF-8: {error}") from error


def _header(path: Path, text: TextIOWrapper, columns: Sequence[Column]) -> list[str]:
    header = next(csv.reader([text.readline()]), [])
    missing = [column.name for column in columns if column.required and column.name not in header]
    if missing:
        raise PredictError(
            f"{path}: the header lacks columns that the model needs: {', '.join(missing)}; it has {', '.join(header)}"
        )
    return header


def _csv_rows(text: TextIOWrapper, header: Sequence[str], columns: Sequence[Column]) -> Iterator[Row]:
    reader = csv.reader(text)
    number = 0
    for cells in reader:
        if not cells:
            continue
        number += 1
        given = dict(zip(header, cells, strict=False))
        if len(cells) != len(header):
            problem = f"the row has {len(cells)} values, and the header {len(header)}"
            yield Row(number, given, None, problem)
        else:
            yield Row(number, given, _record(given, columns))


def _record(given: Mapping[str, str], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the columns of the signature, without those whose cells are empty; of texts an empty one is a text."""
    found = ((column, given[column.name]) for column in columns if column.name in given)
    return {column.name: _value(column, text) for column, text in found if text or column.type == "string"}


def _value(column: Column, text: str) -> Any:
    """Return a cell's value; a text that is none of its type stays one, for the API to say what is wrong."""
    try:
        return _CONVERT[column.type](text)
    except (KeyError, ValueError):
        return text


def _json_rows(text: TextIOWrapper, columns: Sequence[Column]) -> Iterator[Row]:
    number = 0
    names = {column.name for column in columns}
    for line in text:
        if not line.strip():
            continue
        number += 1
        try:
            value = json.loads(line)
        except ValueError as error:
            yield Row(number, {"line": line.rstrip()}, None, f"the line is not JSON: {error}")
            continue
        if columns and isinstance(value, dict):
            yield Row(number, value, {name: cell for name, cell in value.items() if name in names})
        else:
            yield Row(number, {"inputs": value}, value)
