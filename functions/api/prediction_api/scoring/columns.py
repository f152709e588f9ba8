"""Requests for a model whose signature has columns."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from offpath.contracts.model_manifest import Column, ColumnType
from prediction_api.errors import BAD_REQUEST, INVALID_PARAMETER_VALUE, ScoringCode, ScoringError
from prediction_api.inputs.arrays import is_null, to_array
from prediction_api.inputs.batch import Array, Batch, absent, can_be_absent
from prediction_api.inputs.limits import complaint
from prediction_api.scoring.frames import FRAMES, Frame, check_records, columns_frame, rows_frame

_SHOWN = 80
_DTYPES: Mapping[ColumnType, str] = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
    "string": "str",
}


class ColumnReader:
    """Reads the protocol's forms for one signature."""

    def __init__(self, columns: Sequence[Column], max_records: int) -> None:
        self._columns = columns
        self._max_records = max_records

    def read(self, form: str, data: JsonValue) -> Batch:
        """Return the inputs in a form's data. Raises ScoringError."""
        return self.batch(FRAMES[form](data) if form in FRAMES else self._frame(form, data))

    def batch(self, frame: Frame) -> Batch:
        """Return the signature's columns of a table, without others that it may have; no values for no rows."""
        check_records(frame.rows, self._max_records)
        given = [column for column in self._columns if column.name in frame.columns]
        values: dict[str, Sequence[JsonValue] | Array] = {column.name: _converted(column, frame) for column in given}
        left_out = [column for column in self._columns if column.name not in values]
        if missing := [column.name for column in left_out if not can_be_absent(column)]:
            raise ScoringError(f"columns of the model's signature are missing: {missing}", INVALID_PARAMETER_VALUE)
        values |= {column.name: [absent(column)] * frame.rows for column in left_out}
        return Batch(values if frame.rows else {}, frame.rows)

    def _frame(self, form: str, data: JsonValue) -> Frame:
        """Read `inputs` or `instances`: rows, columns, or the values of an only column."""
        if isinstance(data, dict):
            return columns_frame(data, form)
        if isinstance(data, list) and any(isinstance(row, dict) for row in data):
            return rows_frame(data, form)
        if isinstance(data, list) and len(self._columns) == 1:
            return columns_frame({self._columns[0].name: data}, form)
        names = [column.name for column in self._columns]
        raise ScoringError(f"{form}: expected values under the names of the columns {names}", INVALID_PARAMETER_VALUE)


def _check_limits(column: Column, values: Sequence[JsonValue]) -> None:
    """Raise ScoringError for the first value that the original refuses, with the record's number."""
    if column.limits is None:
        return
    for index, value in enumerate(values):
        if wrong := complaint(_of_type(column, value), column.limits):
            raise ScoringError(f"column {column.name}, record {index}: {wrong}; got {str(value)[:_SHOWN]!r}")


def _of_type(column: Column, value: JsonValue) -> JsonValue:
    """Return a number in a column of texts as the text that it becomes; a text that is a number as that."""
    if column.type == "string":
        return value if is_null(value) else str(value)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _converted(column: Column, frame: Frame) -> Array:
    values = frame.columns[column.name]
    _check_limits(column, values)
    if column.type == "string" and can_be_absent(column):
        values = [absent(column) if is_null(value) else value for value in values]
    try:
        array = to_array(list(values), _DTYPES[column.type])
    except ValueError as error:
        is_late = column.name in frame.late or (frame.is_by_value and any(isinstance(one, list) for one in values))
        code: ScoringCode = INVALID_PARAMETER_VALUE if is_late else BAD_REQUEST
        raise ScoringError(f"column {column.name} of type {column.type}: {error}", code) from error
    if array.ndim != 1:
        raise ScoringError(f"column {column.name}: expected one value a row, got lists", frame.nested_code)
    return array
