"""Where a pipeline's numbers become single precision.

Scikit-learn scales in double precision, and a tree of it or of XGBoost takes the result as single. Scaled in single
precision, a value that lies on a tree's threshold, as values on a grid do, falls to its other side now and then.
"""

import copy
from typing import Any

import numpy as np
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline


def exact_form(pipeline: Pipeline) -> Pipeline:
    """The fitted pipeline with a cast to single precision before its last step: what is before it takes doubles."""
    before = [(name, _cast_columns(step)) for name, step in pipeline.steps[:-1]]
    return Pipeline([*before, ("single", _cast()), pipeline.steps[-1]])


def _cast_columns(step: Any) -> Any:
    """A ColumnTransformer whose every part gives single precision: encoders do, and what is joined is of one type."""
    if not isinstance(step, ColumnTransformer):
        return step
    copied = copy.copy(step)
    copied.transformers_ = [(name, _casting(part), columns) for name, part, columns in step.transformers_]
    return copied


def _casting(part: Any) -> Any:
    if isinstance(part, str):
        return _cast() if part == "passthrough" else part
    return Pipeline([("part", part), ("single", _cast())])


def _cast() -> CastTransformer:
    return CastTransformer(dtype=np.float32)
