"""Place the cast of a pipeline's numbers to single precision.

Scikit-learn scales in double precision, and a tree of it or of XGBoost takes the result as single. Scaled in single
precision, a value that lies on a tree's threshold, as values on a grid do, falls to its other side now and then.
"""

import copy

import numpy as np
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline


def cast_before_last_step(pipeline: Pipeline) -> Pipeline:
    """Return the fitted pipeline with a cast to single precision before its last step: what is before takes doubles."""
    before = [(name, _cast_columns(step)) for name, step in pipeline.steps[:-1]]
    return Pipeline([*before, ("single", _cast()), pipeline.steps[-1]])


def _cast_columns(step: object) -> object:
    """Let every part of a ColumnTransformer give single precision: encoders do, and what is joined is of one type."""
    if not isinstance(step, ColumnTransformer):
        return step
    copied = copy.copy(step)
    copied.transformers_ = [(name, _with_cast(part), columns) for name, part, columns in step.transformers_]
    return copied


def _with_cast(part: object) -> object:
    if isinstance(part, str):
        return _cast() if part == "passthrough" else part
    return Pipeline([("part", part), ("single", _cast())])


def _cast() -> CastTransformer:
    return CastTransformer(dtype=np.float32)
