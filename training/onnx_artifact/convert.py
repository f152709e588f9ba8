"""Convert a trained estimator to ONNX."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, Int64TensorType, StringTensorType

from offpath.contracts.model_manifest import ColumnType
from training.recipe import Estimator, OnnxArtifact, Recipe, TrainingError

# onnxruntime takes longer to know an operator set than skl2onnx to write it, and the serving side has its own release.
OPSET = 21
_TENSORS: dict[ColumnType, type[Any]] = {
    "double": FloatTensorType,
    "float": FloatTensorType,
    "long": Int64TensorType,
    "integer": Int64TensorType,
    "boolean": BooleanTensorType,
    "string": StringTensorType,
}


def to_onnx(recipe: Recipe[Any], estimator: Estimator) -> OnnxArtifact:
    """Return the ONNX form of a trained estimator.

    Inputs: `inputs`, float32 [N, columns], or for a recipe with separate inputs one [N, 1] a column. Outputs of a
    classification: `label`, int64 [N], and `probabilities`, float32 [N, classes]; of a regression `variable`, float32
    [N, 1].
    """
    if recipe.convert:
        return recipe.convert(estimator)
    options = {"zipmap": False} if recipe.task == "classification" else None
    return OnnxArtifact(convert_sklearn(estimator, recipe.name, _inputs(recipe), target_opset=OPSET, options=options))


def check_size(recipe: Recipe[Any], artifact: OnnxArtifact) -> None:
    """Raise TrainingError for a graph whose file is over the recipe's limit."""
    if artifact.bytes > recipe.max_bytes:
        raise TrainingError(
            f"the ONNX file takes {artifact.bytes / 1e6:.1f} MB, over {recipe.max_bytes / 1e6:.0f} MB: not registered. "
            "Take hyperparameters that make a smaller model: fewer or shallower trees, larger leaves, fewer features"
        )


@contextmanager
def silence_warnings() -> Iterator[None]:
    """Show no warnings meanwhile, neither Python's nor logged ones: converters have many, for their own developers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def _inputs(recipe: Recipe[Any]) -> list[tuple[str, Any]]:
    if recipe.separate_inputs:
        return [(column.name, _TENSORS[column.type]([None, 1])) for column in recipe.columns]
    return [("inputs", FloatTensorType([None, len(recipe.columns)]))]
