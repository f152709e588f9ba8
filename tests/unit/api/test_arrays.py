"""JSON's values in an array: taken as they are, or refused, but not changed."""

import math
from typing import Any

import numpy as np
import pytest

from prediction_api.inputs.arrays import to_array


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2.5, "3", True], "float32", [1.0, 2.5, 3.0, 1.0]),
        ([], "float64", []),
        ([1.0, 2.0], "int64", [1, 2]),
        (["7", 8], "int64", [7, 8]),
        ([-(2**63), 2**63 - 1], "int64", [-(2**63), 2**63 - 1]),
        ([2**64 - 1], "uint64", [2**64 - 1]),
        ([True, 0], "int32", [1, 0]),
        ([True, 0, 1.0], "bool", [True, False, True]),
        ([["a", 1], [2.5, True]], "str", [["a", "1"], ["2.5", "True"]]),
        ("a", "str", "a"),
    ],
)
def test_what_fits_is_taken(values: Any, dtype: str, expected: Any) -> None:
    array = to_array(values, dtype)
    assert array.tolist() == expected
    assert array.dtype == (np.object_ if dtype == "str" else np.dtype(dtype))


def test_null_is_no_number_among_floats() -> None:
    assert [math.isnan(value) for value in to_array([None, math.nan, 1], "float32").tolist()] == [True, True, False]


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        ([1e39], "float32", "1e\\+39 is too large for float32"),
        ([10**400], "float64", "too large"),
        (["wide"], "float32", "could not convert string to float: 'wide'"),
        ([{}], "float32", "expected float32"),
        ([[1], [1, 2]], "float32", "not all of the same length"),
        ([1.5], "int64", "1.5 is not a whole number"),
        ([2.0**63], "int64", "is not a whole number"),
        ([math.inf], "int64", "inf is not a whole number"),
        ([1.5, "2"], "int64", "1.5 is not a whole number"),
        (["1.5"], "int64", "1.5"),
        ([None], "int64", "None is not a whole number"),
        ([2**31], "int32", "2147483648 is not within"),
        ([2**70], "int64", "expected int64"),
        ([-1], "uint8", "-1 is not within 0 and 255"),
        ([0.5], "bool", "true and false"),
        (["true"], "bool", "true and false"),
        ([None], "bool", "true and false"),
        ([None], "str", "None is not a text"),
        ([math.nan], "str", "nan is not a text"),
        ([["a"], ["b", "c"]], "str", "expected str"),
        (["x" * 500, None], "str", "None is not a text"),
        ([["x" * 500, {}], ["y"]], "str", "…|same length"),
    ],
)
def test_what_does_not_fit_is_refused(values: Any, dtype: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_array(values, dtype)
