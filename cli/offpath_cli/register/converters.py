"""Add to skl2onnx the converters of XGBoost's and LightGBM's estimators, wherever in a pipeline they are."""

import copy
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common._registration import get_converter, get_shape_calculator
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)

if TYPE_CHECKING:
    import xgboost


class Operator(Protocol):
    """Hold an estimator that is being converted."""

    raw_operator: object


class Container(Protocol):
    """Collect the nodes of a graph."""

    def add_node(self, *positional: object, **attributes: object) -> object:
        """Add a node."""


# It takes the scope of names, the operator to convert, and the container of its nodes.
Converter: TypeAlias = Callable[[object, Operator, Container], None]

_CLASSIFIER_OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
_TREES = {"xgboost": ("XGBClassifier", "XGBRegressor", "XGBRFRegressor"),
          "lightgbm": ("LGBMClassifier", "LGBMRegressor")}  # fmt: skip


@cache
def register_converters(library: str) -> None:
    """Let skl2onnx convert the estimators of `xgboost` or `lightgbm`. Their libraries are imported only then."""
    convert = {"xgboost": _xgboost, "lightgbm": _lightgbm}[library]()
    for name in _TREES[library]:
        is_classifier = name.endswith("Classifier")
        shapes = (
            calculate_linear_classifier_output_shapes if is_classifier else calculate_linear_regressor_output_shapes
        )
        options = _CLASSIFIER_OPTIONS if is_classifier else {"split": None}
        update_registered_converter(
            getattr(import_module(library), name), f"Offpath{name}", shapes, convert, options=options
        )


@cache
def register_histogram_tree_converters() -> None:
    """Let skl2onnx convert HistGradientBoosting: it writes NumPy's unsigned numbers, which onnx refuses."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    for kind in (HistGradientBoostingClassifier, HistGradientBoostingRegressor):
        name = f"Sklearn{kind.__name__}"
        own, shapes = get_converter(name), get_shape_calculator(name)
        convert = _with_plain_numbers(own)
        update_registered_converter(kind, name, shapes, convert, overwrite=True, options=own.get_allowed_options())


def without_feature_names(booster: "xgboost.Booster") -> "xgboost.Booster":
    """Return a copy of an XGBoost Booster whose features have no names: its converter counts them."""
    copied = booster.copy()
    copied.feature_names = copied.feature_types = None
    return copied


def _with_plain_numbers(convert: Converter) -> Converter:
    def converter(scope: object, operator: Operator, container: Container) -> None:
        convert(scope, operator, _PlainNumbers(container))

    return converter


class _PlainNumbers:
    """Stand for a container, to which nodes are added with Python's own whole numbers."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *positional: object, **attributes: object) -> object:
        return self._container.add_node(*positional, **{name: _plain(value) for name, value in attributes.items()})


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, bool | np.bool_ | np.integer) else value


def _xgboost() -> Converter:
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost

    def converter(scope: object, operator: Operator, container: Container) -> None:
        operator.raw_operator = _without_feature_names(operator.raw_operator)
        convert_xgboost(scope, operator, container)

    return converter


def _without_feature_names(estimator: Any) -> object:
    copied = copy.deepcopy(estimator)
    booster = copied.get_booster()
    booster.feature_names = booster.feature_types = None
    return copied


def _lightgbm() -> Converter:
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

    found: Converter = convert_lightgbm
    return found
