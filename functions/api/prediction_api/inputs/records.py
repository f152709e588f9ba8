"""A model's records: the fields that a request may hold, generated from the model's MLflow signature."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, Required, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from offpath.contracts.model_manifest import Column, ColumnType
from prediction_api.errors import FieldError, InvalidInputs
from prediction_api.inputs.batch import Batch, Record, batch_of, can_be_absent
from prediction_api.inputs.field_errors import MAX_ERRORS, MAX_SHOWN, field_errors, field_path
from prediction_api.inputs.json_body import parse_object
from prediction_api.inputs.limits import complaint
from prediction_api.inputs.object_type import object_type

T = TypeVar("T")


def _whole(value: object) -> object:
    """Return a whole number that is written as `3.0` as 3: JSON has one type of number, and MLflow takes both."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# MLflow's column types (https://mlflow.org/docs/latest/ml/model/signatures/), as the types that JSON may give for them.
_TYPES: Mapping[ColumnType, object] = {
    "double": Annotated[float, Field(allow_inf_nan=False)],
    "float": Annotated[float, Field(allow_inf_nan=False)],
    "long": Annotated[int, Field(ge=-(2**63), lt=2**63), BeforeValidator(_whole)],
    "integer": Annotated[int, Field(ge=-(2**31), lt=2**31), BeforeValidator(_whole)],
    "boolean": bool,
    "string": str,
}
_WHOLE = "the record"
# Of a column's values, in the JSON schema.
_MOST_LISTED = 100


class RecordSchema:
    """Reads request bodies for one model.

    A body is `{"inputs": [record, …]}`, `{"inputs": record}`, or one record alone; a record has the signature's
    columns, those that are required and no others. null is an optional column that is left out. Where the signature has
    a single column, its value may stand for the record.
    """

    def __init__(self, columns: Sequence[Column], max_records: int) -> None:
        self._columns = columns
        self._max_records = max_records
        self._has_column_inputs = any(column.name == "inputs" for column in columns)
        record = object_type("Record", {column.name: _field(column) for column in columns})
        self._record: TypeAdapter[Record] = TypeAdapter(record)
        self._records: TypeAdapter[list[Record]] = TypeAdapter(list[record])  # type: ignore[valid-type]

    def parse(self, body: bytes) -> list[Record]:
        """Return the records in a request body, at least one and at most max_records. Raises PredictionApiError."""
        document = parse_object(body, "[record, …]")
        if "inputs" not in document or self._has_column_inputs:
            return [self._validate(self._record, document, "")]
        extra = sorted(document.keys() - {"inputs"})
        if extra:
            shown = [FieldError(name[:MAX_SHOWN], "not known here") for name in extra[:MAX_ERRORS]]
            raise InvalidInputs(f"{len(extra)} unknown field(s) beside inputs", shown)
        inputs = document["inputs"]
        if isinstance(inputs, list):
            return self._many([self._as_record(value) for value in inputs])
        return [self._validate(self._record, self._as_record(inputs), "inputs")]

    def read(self, body: bytes) -> Batch:
        """Return the records in a request body as the model takes them. Raises PredictionApiError."""
        return batch_of(self.parse(body), self._columns)

    def inputs_schema(self, name: str) -> dict[str, JsonValue]:
        """Return the JSON schema of `inputs`, for the model of that name."""
        record = self._record.json_schema() | {"title": f"{name} record"}
        return {"anyOf": [{"type": "array", "items": record, "minItems": 1}, record]}

    def _as_record(self, value: JsonValue) -> JsonValue:
        """Return the record that holds an only column's value."""
        return {self._columns[0].name: value} if len(self._columns) == 1 and not isinstance(value, dict) else value

    def _many(self, inputs: list[JsonValue]) -> list[Record]:
        if not inputs:
            raise InvalidInputs("inputs is an empty list", [FieldError("inputs", "expected at least one record")])
        if len(inputs) > self._max_records:
            limit = f"expected at most {self._max_records} records, got {len(inputs)}"
            raise InvalidInputs("too many records in one request", [FieldError("inputs", limit)])
        return self._validate(self._records, inputs, "inputs")

    def _validate(self, adapter: TypeAdapter[T], value: JsonValue, prefix: str) -> T:
        self._refuse_many_unknown(value, prefix)
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            found = error.errors(include_url=False)
            unknown = f"unknown field; the model's fields are: {self._names()}"
            shown = field_errors(found[:MAX_ERRORS], prefix, whole=_WHOLE, unknown=unknown)
            count = f"{len(found)} field(s) are not as the model's signature says"
            more = f"; the first {MAX_ERRORS} are listed" if len(found) > MAX_ERRORS else ""
            raise InvalidInputs(count + more, shown) from error

    def _refuse_many_unknown(self, value: JsonValue, prefix: str) -> None:
        """Refuse early a record with more unknown fields than an answer lists: to find them all takes seconds."""
        records = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, record in records:
            if isinstance(record, dict) and len(record) > len(self._columns) + MAX_ERRORS:
                where = field_path(prefix, () if index is None else (index,), _WHOLE)
                message = f"has {len(record)} fields; the model's {len(self._columns)} are: {self._names()}"
                raise InvalidInputs("a record has too many fields", [FieldError(where, message)])

    def _names(self) -> str:
        return ", ".join(column.name for column in self._columns)


def _field(column: Column) -> object:
    """Return a column's type; it may be left out or null only where a graph's tensor can say that it is absent."""
    expected = _limited(column)
    return NotRequired[expected | None] if can_be_absent(column) else Required[expected]  # type: ignore[operator]


def _limited(column: Column) -> object:
    """Return the type of a column's values, without those that the original refuses."""
    limits = column.limits
    if limits is None or (limits.values is None and limits.least is None and limits.most is None):
        return _TYPES[column.type]

    def check(value: JsonValue) -> JsonValue:
        if wrong := complaint(value, limits):
            raise PydanticCustomError("limits", "{wrong}", {"wrong": wrong})
        return value

    listed = limits.values is not None and len(limits.values) <= _MOST_LISTED
    extra: dict[str, JsonValue] = {"enum": [*(limits.values or ())]} if listed else {}
    return Annotated[_TYPES[column.type], AfterValidator(check), Field(json_schema_extra=extra)]
