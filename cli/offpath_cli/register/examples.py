"""Input examples: records by column, or tensors, in the forms that MLflow saves and the API takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offpath_cli.register.errors import Refused

EXPECTED = 'a record {"column": value, …}, a list of records, or {"inputs": nested lists}'


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of named columns."""

    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tensors:
    """Nested lists by the tensors' names; a single one may have none."""

    lists: Mapping[str | None, Any]


Example = Records | Tensors


def read_example(path: Path) -> Example:
    """The example in a JSON file. Raises Refused."""
    try:
        return parse_example(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise Refused(f"the input example {path.name} cannot be read: {error}; expected JSON: {EXPECTED}") from error


def parse_example(document: Any) -> Example:
    """The example of a JSON document. Raises ValueError for one that is none."""
    match document:
        case {"dataframe_split": inner} | {"dataframe_records": inner} | {"inputs": (dict() | list()) as inner}:
            return parse_example(inner)
        case {"columns": list(columns), "data": list(rows)}:  # how MLflow keeps a data frame
            return Records([dict(zip(map(str, columns), row, strict=True)) for row in rows])
        case dict(named) if named and any(isinstance(value, list) for value in named.values()):
            return Tensors(named)
        case dict(record) if record:
            return Records([record])
        case [dict(), *_] if all(isinstance(row, dict) and row for row in document):
            return Records(document)
        case list(values) if values:
            return Tensors({None: values})
        case _:
            raise ValueError("it holds neither records nor tensors")


def rows_of(example: Example, names: Sequence[str]) -> list[dict[str, Any]]:
    """The records of these columns, in this order. Raises Refused for an example of others, or of tensors."""
    records = example.rows if isinstance(example, Records) else _turned(example, names)
    for index, row in enumerate(records):
        if unknown := row.keys() - set(names):
            raise Refused(
                f"record {index} of the input example has the columns {', '.join(sorted(unknown))}, which the "
                f"signature has not; it has: {', '.join(names)}"
            )
    return [{name: row[name] for name in names if name in row} for row in records]


def _turned(example: Tensors, names: Sequence[str]) -> list[dict[str, Any]]:
    """Records out of columns: {"a": [1, 2], "b": [3, 4]}; or out of a matrix of as many columns as there are names."""
    try:
        if example.lists.keys() == {None}:
            return [dict(zip(names, row, strict=True)) for row in example.lists[None]]
        columns = {str(name): values for name, values in example.lists.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    except (TypeError, ValueError) as error:
        raise Refused(
            f"the input example is not of the signature's columns {', '.join(names)}: expected {EXPECTED}"
        ) from error
