"""Read input examples: records by column, or tensors, in the forms that MLflow saves and the API takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from offpath_cli.errors import ModelRefused

FORMS = 'a record {"column": value, …}, a list of records, or {"inputs": nested lists}'

# Values as JSON has them, by column.
Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Records:
    """Hold rows of named columns."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Tensors:
    """Hold nested lists by the tensors' names; a single one may have none."""

    lists: Mapping[str | None, object]


Example = Records | Tensors


def read_example(path: Path) -> Example:
    """Return the example in a JSON file. Raises ModelRefused."""
    try:
        return parse_example(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelRefused(f"the input example {path.name} cannot be read: {error}; expected JSON: {FORMS}") from error


def parse_example(document: object) -> Example:
    """Return the example of a JSON document. Raises ValueError for one that is none."""
    match document:
        case {"dataframe_split": inner} | {"dataframe_records": inner} | {"inputs": (dict() | list()) as inner}:
            return parse_example(inner)
        case {"columns": list(columns), "data": list(rows)}:  # how MLflow keeps a data frame
            return Records([dict(zip(_named_once(columns), row, strict=True)) for row in rows])
        case list(rows) if rows and all(isinstance(row, dict) and row for row in rows):
            return Records(rows)
        case [_, *_] as values:
            return Tensors({None: values})
        case {"data": [list(), *_] as values, **rest} if rest.keys() <= {"index"}:  # a data frame without names
            return Tensors({None: values})
        case dict(named) if named:
            has_lists = any(isinstance(value, list) for value in named.values())
            return Tensors(named) if has_lists else Records([named])
        case _:
            raise ValueError("it holds neither records nor tensors")


def _named_once(columns: Sequence[object]) -> list[str]:
    """Return the columns' names as texts. Raises ValueError for one that is there twice."""
    names = list(map(str, columns))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"it has several columns of the name {', '.join(twice)}")
    return names


def rows_of(example: Example, names: Sequence[str]) -> list[dict[str, object]]:
    """Return the records of these columns, in this order.

    Raises ModelRefused for an example of other columns, or of tensors.
    """
    records = example.rows if isinstance(example, Records) else _transposed(example, names)
    for index, row in enumerate(records):
        if unknown := row.keys() - set(names):
            raise ModelRefused(
                f"record {index} of the input example has the columns {', '.join(sorted(unknown))}, which the "
                f"signature has not; it has: {', '.join(names)}"
            )
    return [{name: row[name] for name in names if name in row} for row in records]


def _transposed(example: Tensors, names: Sequence[str]) -> list[Row]:
    """Make records of columns, {"a": [1, 2], "b": [3, 4]}, or of a matrix with as many columns as there are names."""
    lists: Mapping[str | None, Any] = example.lists  # anything but nested lists raises below
    try:
        if lists.keys() == {None}:
            return [dict(zip(names, row, strict=True)) for row in lists[None]]
        columns = {str(name): values for name, values in lists.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    except (TypeError, ValueError) as error:
        raise ModelRefused(
            f"the input example is not of the signature's columns {', '.join(names)}: expected {FORMS}"
        ) from error
