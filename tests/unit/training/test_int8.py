"""An artifact with weights of 8 bits is chosen where it is as good."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from local.testbed.models import graph
from training.onnx_artifact.int8 import Quantize, choose, quantized
from training.recipe import ChosenArtifact, HoldoutSet, OnnxArtifact

ROWS = 400
TARGET = np.arange(ROWS) % 2


def product() -> Any:
    """A graph of one product of matrices."""
    weights = np.linspace(-1, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    nodes = [helper.make_node("MatMul", ["x", "weights"], ["y"])]
    given, gives = [("x", TensorProto.FLOAT, [None, 64])], [("y", TensorProto.FLOAT, [None, 64])]
    return graph(given, gives, nodes, [numpy_helper.from_array(weights, "weights")])


def chosen(quantize: Quantize, wrong: int) -> tuple[ChosenArtifact, OnnxArtifact, list[str]]:
    """Return the choice where float32 is always right and int8 so often wrong, the exact artifact, and the report."""
    labels = TARGET.copy()
    labels[:wrong] = 1 - labels[:wrong]
    outputs = {"label": labels, "probabilities": np.eye(2)[labels] * 0.8 + 0.1}
    holdout = HoldoutSet([None] * ROWS, TARGET, TARGET.copy(), np.eye(2)[TARGET] * 0.8 + 0.1)
    exact, said = OnnxArtifact(product(), b"tokenizer"), list[str]()
    return choose(quantize, exact, holdout, lambda _: outputs, said.append), exact, said


def test_quantized_matrix_product_is_smaller_and_nearly_the_same() -> None:
    exact, small = product(), quantized(product())
    assert small.ByteSize() < exact.ByteSize() / 2
    x = np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
    [one], [other] = (InferenceSession(model.SerializeToString()).run(None, {"x": x}) for model in (exact, small))
    assert 0 < np.max(np.abs(one - other)) < 0.2


@pytest.mark.parametrize(
    ("quantize", "wrong", "precision"),
    [("auto", 2, "int8"), ("auto", 3, "float32"), ("always", 3, "int8"), ("never", 0, "float32")],
)
def test_half_a_point_decides_where_nobody_has(quantize: Quantize, wrong: int, precision: str) -> None:
    choice, exact, said = chosen(quantize, wrong)
    assert choice.tags == {"onnx.precision": precision}
    assert (choice.artifact is exact) == (precision == "float32")
    assert choice.artifact.tokenizer == b"tokenizer"
    assert int(np.sum(choice.predicted != TARGET)) == (wrong if precision == "int8" else 0)
    assert len(said) == (quantize != "never")


def test_accuracies_and_sizes_of_both_are_told() -> None:
    choice, exact, said = chosen("auto", 3)
    assert dict(choice.metrics) == {
        "float32_accuracy": 1.0,
        "float32_bytes": float(exact.bytes),
        "int8_accuracy": pytest.approx(0.9925),
        "int8_bytes": float(quantized(exact.onnx).ByteSize()),
        "int8_largest_difference": pytest.approx(0.8),
        "int8_other_labels": 3.0,
    }
    assert said[0].startswith("int8: accuracy 0.9925, 0.0 MB, 3 of 400 labels differ; float32: accuracy 1.0000, ")
    assert said[0].endswith("; taken: float32")
