"""Encoders of categories, and what fills missing values in.

What an encoder gives for each category it is asked itself: no rule of its own is written again here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from onnx import numpy_helper

from offpath.contracts.names import ABSENT_TEXT
from training.double_precision.convert import NotWritten, Table, by_name, transforms
from training.double_precision.graph import Value
from training.recipe import Estimator

pd: Any = import_module("pandas")  # it is not typed

_DISTINCT = 2**53


def is_missing(value: object) -> bool:
    """Return whether it is None or not a number."""
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


@transforms("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")
def _encoded(estimator: Estimator, table: Table) -> Table:
    rows = [list(categories) for categories in estimator.categories_]
    if not rows:
        raise NotWritten(f"{type(estimator).__name__} without a column")
    widths = _widths(estimator, len(rows))
    starts = np.cumsum([0, *widths])
    found = [
        _column(table, at, categories, _outputs(estimator, rows, at, slice(starts[at], starts[at + 1])))
        for at, categories in enumerate(rows)
        if widths[at]
    ]
    return table.of(table.graph.concat(found), int(starts[-1]), single=False)


def _widths(estimator: Estimator, columns: int) -> list[int]:
    if hasattr(estimator, "_n_features_outs"):
        return list(map(int, estimator._n_features_outs))
    several = getattr(estimator, "target_type_", None) == "multiclass"
    return [len(estimator.classes_) if several else 1] * columns


def _outputs(estimator: Estimator, rows: Sequence[list[Any]], at: int, block: slice) -> Any:
    """Return what the encoder gives for each category of a column, and last for a value that is none of them."""
    unknown = _unknown(rows[at])
    return np.concatenate([_asked(estimator, rows, at, value, block) for value in [*rows[at], unknown]])


def _asked(estimator: Estimator, rows: Sequence[list[Any]], at: int, value: Any, block: slice) -> Any:
    names = getattr(estimator, "feature_names_in_", range(len(rows)))
    frame = pd.DataFrame(
        {
            name: pd.Series([value if index == at else categories[0]], dtype=_dtype(categories))
            for index, (name, categories) in enumerate(zip(names, rows, strict=True))
        }
    )
    given = frame if hasattr(estimator, "feature_names_in_") else _plain(frame)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = estimator.transform(given)
    except (ValueError, TypeError):  # a value that the encoder refuses: nobody may ask for it
        return np.zeros((1, block.stop - block.start))
    dense = found.toarray() if hasattr(found, "toarray") else found
    return by_name(dense)[:, block]


def _dtype(categories: Sequence[Any]) -> Any:
    return object if any(isinstance(one, str) or one is None for one in categories) else None


def _plain(frame: Any) -> Any:
    mixed = any(kind == np.object_ for kind in frame.dtypes)
    return frame.to_numpy(np.object_ if mixed else None)


def _unknown(categories: Sequence[Any]) -> Any:
    if any(isinstance(one, str) for one in categories):
        return "\ufdd1 no category"
    numbers = [float(one) for one in categories if not is_missing(one)]
    return max(numbers, default=0.0) + 1.0


def _column(table: Table, at: int, categories: Sequence[Any], outputs: Any) -> Value:
    index = _text_index(table.column(at), categories) if at in table.texts else _number_index(table, at, categories)
    return table.graph.op("Gather", table.graph.constant(outputs), index.reshape(-1), axis=0)


def _text_index(column: Value, categories: Sequence[Any]) -> Value:
    if not all(isinstance(one, str) or is_missing(one) for one in categories):
        raise NotWritten("an encoder of categories of several types")
    keys = [ABSENT_TEXT if is_missing(one) else one for one in categories]
    if not keys or len(set(keys)) < len(keys):
        raise NotWritten("an encoder with more than one category for missing values, or with none at all")
    return column.apply(
        "LabelEncoder",
        domain="ai.onnx.ml",
        keys_strings=keys,
        values_int64s=list(range(len(keys))),
        default_int64=len(keys),
    )


def _number_index(table: Table, at: int, categories: Sequence[Any]) -> Value:
    if any(isinstance(one, str) for one in categories):
        raise NotWritten("an encoder of texts that gets numbers")
    if any(isinstance(one, int | np.integer) and abs(int(one)) >= _DISTINCT for one in categories):
        raise NotWritten("an encoder of whole numbers from 2**53 on, which doubles do not tell apart")
    numbers = [np.nan if is_missing(one) else float(one) for one in categories]
    column = table.column(at)
    if numbers and np.isnan(numbers[-1]):
        column = table.graph.where(column.apply("IsNaN"), np.inf, column)
        numbers[-1] = np.inf
    return column.apply(
        "LabelEncoder",
        domain="ai.onnx.ml",
        keys_tensor=numpy_helper.from_array(np.array(numbers)),
        values_tensor=numpy_helper.from_array(np.arange(len(numbers))),
        default_tensor=numpy_helper.from_array(np.array([len(numbers)])),
    )


@transforms("SimpleImputer")
def _filled(estimator: Estimator, table: Table) -> Table:
    kept = list(range(table.width))
    statistics = estimator.statistics_
    if not estimator.keep_empty_features:
        kept = [at for at in kept if not is_missing(statistics[at])]
    columns = [_fill(table, at, statistics[at], estimator.missing_values) for at in kept]
    texts = frozenset(rank for rank, at in enumerate(kept) if at in table.texts)
    indicated = list(estimator.indicator_.features_) if estimator.add_indicator else []
    columns += [_is_missing(table, at, estimator.missing_values).double() for at in indicated]
    names = [f"x{at}" for at in range(len(columns))]
    singles = frozenset(range(len(columns))) if table.single else frozenset[int]()
    return Table(table.graph, names, columns, texts, singles)


def _fill(table: Table, at: int, statistic: Any, missing: Any) -> Value:
    column = table.column(at)
    if at in table.texts:
        if is_missing(statistic):
            raise NotWritten("SimpleImputer of texts without a value to fill in")
        filled = table.graph.constant([[str(statistic)]], np.object_)
        return table.graph.op("Where", _is_missing(table, at, missing), filled, column)
    value = 0.0 if is_missing(statistic) else float(statistic)
    return table.graph.where(_is_missing(table, at, missing), value, column)


def _is_missing(table: Table, at: int, missing: Any) -> Value:
    column = table.column(at)
    if at in table.texts:
        wanted = missing if isinstance(missing, str) else ABSENT_TEXT
        return column.equals(table.graph.constant([[wanted]], np.object_))
    return column.apply("IsNaN") if is_missing(missing) else column.equals(float(missing))


@transforms("MissingIndicator")
def _indicated(estimator: Estimator, table: Table) -> Table:
    columns = [_is_missing(table, int(at), estimator.missing_values).double() for at in estimator.features_]
    return table.of(table.graph.concat(columns), len(columns))
