"""The values that a record may hold, by its signature."""

import json
from typing import Any

import pytest

from offpath.contracts.model_manifest import Column, ColumnType
from prediction_api.errors import InvalidInputs
from prediction_api.inputs.records import RecordSchema


def parse(column_type: ColumnType, value: Any, *, required: bool = True) -> Any:
    schema = RecordSchema([Column(name="x", type=column_type, required=required)], max_records=2)
    return schema.parse(json.dumps({"inputs": [value]}).encode())[0]


@pytest.mark.parametrize(
    ("column_type", "value"),
    [("double", 1), ("float", 1.5), ("long", 2**63 - 1), ("integer", -(2**31)), ("boolean", True), ("string", "é")],
)
def test_each_type_takes_its_values(column_type: ColumnType, value: Any) -> None:
    assert parse(column_type, {"x": value}) == {"x": value}


@pytest.mark.parametrize(
    ("column_type", "value"),
    [("long", 2**63), ("integer", 2**31), ("integer", 1.5), ("boolean", 1), ("string", 1), ("double", "1")]
    + [(number, value) for number in ("double", "float", "long", "integer") for value in (True, "1.0")],
)
def test_each_type_refuses_what_it_cannot_hold(column_type: ColumnType, value: Any) -> None:
    with pytest.raises(InvalidInputs) as problem:
        parse(column_type, {"x": value})
    assert problem.value.errors[0].field == "inputs[0].x"


@pytest.mark.parametrize("column_type", ["double", "float", "string"])
def test_an_optional_column_may_be_missing(column_type: ColumnType) -> None:
    assert parse(column_type, {}, required=False) == {}


@pytest.mark.parametrize("column_type", ["long", "integer", "boolean"])
def test_an_optional_column_without_absent_value_is_required(column_type: ColumnType) -> None:
    with pytest.raises(InvalidInputs) as problem:
        parse(column_type, {}, required=False)
    assert problem.value.errors[0].message == "required, but not there"


def test_a_model_with_a_column_inputs_takes_bare_records() -> None:
    schema = RecordSchema([Column(name="inputs", type="string")], max_records=2)
    assert schema.parse(b'{"inputs": "text"}') == [{"inputs": "text"}]
