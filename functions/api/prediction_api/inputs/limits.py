"""Hold a column's values to what the original model takes, beside their type."""

from collections.abc import Sequence

from offpath.contracts.model_manifest import Column, ColumnLimits
from prediction_api.inputs.arrays import is_null

_SHOWN = 20
NO_LIMITS = ColumnLimits()


def limits_of(column: Column) -> ColumnLimits:
    """Return the column's limits, or those that hold where there are none."""
    return column.limits or NO_LIMITS


def complaint(value: object, limits: ColumnLimits) -> str | None:
    """Return what is wrong with a value, or None for one that the original takes."""
    if is_null(value):
        return None if limits.missing else "the model takes no missing value here"
    if limits.values is not None and value not in limits.values:
        return f"the model does not know this value; it knows {shown_values(limits.values)}"
    if isinstance(value, int | float):
        return _out_of_range(value, limits)
    return None


def _out_of_range(number: float, limits: ColumnLimits) -> str | None:
    if limits.least is not None and number < limits.least:
        return f"the model takes numbers from {limits.least:g} on here"
    if limits.most is not None and number > limits.most:
        return f"the model takes numbers up to {limits.most:g} here"
    return None


def shown_values(values: Sequence[object]) -> str:
    """Return the values as a message lists them: the first of many."""
    shown = ", ".join(repr(value) for value in values[:_SHOWN])
    return f"{shown} and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown
