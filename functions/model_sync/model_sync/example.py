"""One record to try a model with, from the input example that was logged with it."""

import json
from collections.abc import Iterable
from typing import Any


def first_record(content: bytes, columns: Iterable[str]) -> dict[str, Any] | None:
    """The first record of an input example of MLflow's, if it is one record of exactly these columns; else None."""
    try:
        record = _first(json.loads(content))
    except (ValueError, LookupError, TypeError):
        return None
    return record if isinstance(record, dict) and record.keys() == set(columns) else None


def _first(example: Any) -> Any:
    match example:
        case {"columns": columns, "data": [row, *_]}:  # how MLflow keeps a data frame
            return dict(zip(columns, row, strict=True))
        case [record, *_]:
            return record
        case _:
            return example
