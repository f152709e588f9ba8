"""A trained estimator in ONNX, and proof that both say the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, Int64TensorType, StringTensorType

from training.onnx_artifact.tolerance import TOLERANCE, is_tolerable, largest_difference, relative_difference
from training.recipes.recipe import Column, ColumnType, Estimator, Frame, HeldOut, OnnxArtifact, Recipe, TrainingError

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


def to_onnx(recipe: Recipe[Any], estimator: Estimator) -> OnnxArtifact:
    """The ONNX form of a trained estimator.

    Inputs: `inputs`, float32 [N, columns], or for a mixed recipe one [N, 1] a column. Outputs of a classification:
    `label`, int64 [N], and `probabilities`, float32 [N, classes]; of a regression `variable`, float32 [N, 1].
    """
    if recipe.convert:
        return recipe.convert(estimator)
    options = {"zipmap": False} if recipe.task == "classification" else None
    return OnnxArtifact(convert_sklearn(estimator, recipe.name, _inputs(recipe), target_opset=OPSET, options=options))


def _inputs(recipe: Recipe[Any]) -> list[tuple[str, Any]]:
    if recipe.mixed:
        return [(column.name, _TENSORS[column.type][0]([None, 1])) for column in recipe.columns]
    return [("inputs", FloatTensorType([None, len(recipe.columns)]))]


def check_size(recipe: Recipe[Any], form: OnnxArtifact) -> None:
    """Raises TrainingError for a graph whose file is over the recipe's limit."""
    if form.bytes > recipe.max_bytes:
        raise TrainingError(
            f"the ONNX file takes {form.bytes / 1e6:.1f} MB, over {recipe.max_bytes / 1e6:.0f} MB: not registered. "
            "Take hyperparameters that make a smaller model: fewer or shallower trees, larger leaves, fewer features"
        )


def check_agreement(recipe: Recipe[Any], form: OnnxArtifact, held_out: HeldOut) -> float:
    """The largest difference from what the estimator predicts: of probabilities, or relative to a regression's values.

    Raises TrainingError for one over TOLERANCE, or for a label that is not the same, but where two are as probable.
    """
    outputs = run(recipe, form, held_out.features)
    if recipe.task == "regression":
        expected = np.asarray(held_out.predicted, dtype=float)
        return _tolerable(recipe, relative_difference(outputs["variable"].reshape(-1), expected))
    different = outputs["label"] != held_out.predicted
    different &= _lead(held_out.probabilities) > TOLERANCE
    if different.any():
        count, rows = int(different.sum()), len(held_out.features)
        raise TrainingError(f"ONNX gives {count} of {rows} held-out rows another label: not registered")
    return _tolerable(recipe, largest_difference(outputs["probabilities"], held_out.probabilities))


def run(recipe: Recipe[Any], form: OnnxArtifact, features: Frame) -> dict[str, NDArray[Any]]:
    """What the form says of these rows, by the graph's names."""
    session = InferenceSession(form.onnx.SerializeToString(), providers=["CPUExecutionProvider"])
    if form.tokenizer:
        from training.onnx_artifact.run_texts import (
            run_texts,  # MLflow's machine, which trains none of these, has no tokenizers
        )

        return run_texts(session, form.tokenizer, features[recipe.column_names[0]])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, _feeds(recipe, features)), strict=True))


def _feeds(recipe: Recipe[Any], features: Frame) -> dict[str, NDArray[Any]]:
    if recipe.mixed:
        return {column.name: _tensor(column, features) for column in recipe.columns}
    return {"inputs": features[recipe.column_names].to_numpy("float32")}


def _tensor(column: Column, features: Frame) -> NDArray[Any]:
    tensor: NDArray[Any] = features[[column.name]].to_numpy(_TENSORS[column.type][1])
    return tensor


def _lead(probabilities: NDArray[Any]) -> NDArray[Any]:
    """By how much each row's most probable label leads the next."""
    ordered = np.sort(probabilities, axis=1)
    lead: NDArray[Any] = ordered[:, -1] - ordered[:, -2]
    return lead


def _tolerable(recipe: Recipe[Any], difference: float) -> float:
    if not is_tolerable(difference):
        both = f"ONNX and {recipe.library}"
        raise TrainingError(f"{both} differ by {difference:.2g}, over {TOLERANCE:.0e}: not registered")
    return difference
