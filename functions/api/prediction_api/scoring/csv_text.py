"""CSV with a header, as `pandas.DataFrame.to_csv` writes it."""

import csv
from collections.abc import Hashable, Mapping, Sequence
from io import StringIO

from pydantic import JsonValue

from offpath.contracts.model_manifest import Column, ColumnType
from prediction_api.errors import ScoringError
from prediction_api.scoring.frames import Frame

# pandas reads these texts as a missing value, and may write them for one:
# https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
_MISSING = frozenset(
    {
        *("", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan", "<NA>"),
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"),
    }
)
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def csv_frame(body: bytes, columns: Sequence[Column]) -> Frame:
    """Read the signature's columns of a table; a row that is cut short lacks its last values.

    In a column of texts every cell is a text.
    Raises ScoringError for a body that is not UTF-8, has no header, or a row longer than that.
    """
    try:
        header, *rows = [row for row in csv.reader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (ValueError, csv.Error) as error:  # no header is a ValueError, too
        raise ScoringError(f"the body is not CSV with a header, in UTF-8: {error}") from error
    types = {column.name: column.type for column in columns}
    if long := next((number for number, row in enumerate(rows, 2) if len(row) > len(header)), None):
        raise ScoringError(f"CSV row {long} has more values than the header's {len(header)}")
    at = {name: index for index, name in reversed(list(enumerate(header))) if name in types}
    table: dict[Hashable, list[JsonValue]] = {
        name: [_value(row[index] if index < len(row) else "", types[name]) for row in rows]
        for name, index in at.items()
    }
    return Frame(table, len(rows))


def _value(text: str, column_type: ColumnType) -> JsonValue:
    if column_type == "string":
        return text
    if text in _MISSING:
        return None
    return _BOOLEANS.get(text.lower(), text) if column_type == "boolean" else text
