"""A trained estimator in ONNX, and proof that both say the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, Int64TensorType, StringTensorType

from training.agreement import TOLERANCE, is_tolerable, largest_difference, relative_difference
from training.recipe import Column, ColumnType, Estimator, Frame, Onnx, Recipe, TrainingError

# A larger file takes the serving side long to fetch and to load when it starts.
MAX_BYTES = 10_000_000
# onnxruntime takes longer to know an operator set than skl2onnx to write it, and the serving side has its own release.
OPSET = 21
_TENSORS: dict[ColumnType, tuple[type[Any], str]] = {
    "double": (FloatTensorType, "float32"),
    "float": (FloatTensorType, "float32"),
    "long": (Int64TensorType, "int64"),
    "integer": (Int64TensorType, "int64"),
    "boolean": (BooleanTensorType, "bool"),
    "string": (StringTensorType, "object"),
}


def to_onnx(recipe: Recipe[Any], estimator: Estimator) -> Onnx:
    """The ONNX model (`onnx.ModelProto`) of a trained estimator.

    Inputs: `inputs`, float32 [N, columns], or for a mixed recipe one [N, 1] a column. Outputs of a classification:
    `label`, int64 [N], and `probabilities`, float32 [N, classes]; of a regression `variable`, float32 [N, 1].
    """
    if recipe.convert:
        return recipe.convert(estimator)
    options = {"zipmap": False} if recipe.task == "classification" else None
    return convert_sklearn(estimator, recipe.name, _inputs(recipe), target_opset=OPSET, options=options)


def _inputs(recipe: Recipe[Any]) -> list[tuple[str, Any]]:
    if recipe.mixed:
        return [(column.name, _TENSORS[column.type][0]([None, 1])) for column in recipe.columns]
    return [("inputs", FloatTensorType([None, len(recipe.columns)]))]


def check_size(model: Onnx) -> int:
    """The size of the model's file in bytes. Raises TrainingError for one over MAX_BYTES."""
    size = int(model.ByteSize())
    if size > MAX_BYTES:
        raise TrainingError(
            f"the ONNX file takes {size / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f} MB: not registered. Take "
            "hyperparameters that make a smaller model: fewer or shallower trees, larger leaves, fewer features"
        )
    return size


def check_agreement(recipe: Recipe[Any], estimator: Estimator, model: Onnx, features: Frame) -> float:
    """The largest difference between what the two predict: of probabilities, or relative to a regression's values.

    Raises TrainingError for one over TOLERANCE, or for a label that is not the same.
    """
    outputs = _run(recipe, model, features)
    if recipe.task == "regression":
        expected = np.asarray(estimator.predict(features), dtype=float)
        return _tolerable(relative_difference(outputs["variable"].reshape(-1), expected))
    different = int(np.sum(outputs["label"] != estimator.predict(features)))
    if different:
        raise TrainingError(f"ONNX gives {different} of {len(features)} held-out rows another label: not registered")
    return _tolerable(largest_difference(outputs["probabilities"], estimator.predict_proba(features)))


def _run(recipe: Recipe[Any], model: Onnx, features: Frame) -> dict[str, NDArray[Any]]:
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, _feeds(recipe, features)), strict=True))


def _feeds(recipe: Recipe[Any], features: Frame) -> dict[str, NDArray[Any]]:
    if recipe.mixed:
        return {column.name: _tensor(column, features) for column in recipe.columns}
    return {"inputs": features[recipe.column_names].to_numpy("float32")}


def _tensor(column: Column, features: Frame) -> NDArray[Any]:
    tensor: NDArray[Any] = features[[column.name]].to_numpy(_TENSORS[column.type][1])
    return tensor


def _tolerable(difference: float) -> float:
    if not is_tolerable(difference):
        raise TrainingError(f"ONNX and scikit-learn differ by {difference:.2g}, over {TOLERANCE:.0e}: not registered")
    return difference
