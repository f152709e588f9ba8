"""Make a graph smaller and faster, where that costs hardly any accuracy."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from training.callbacks import Report
from training.onnx_artifact.convert import silence_warnings
from training.recipe import ChosenArtifact, HoldoutSet, Onnx, OnnxArtifact

Quantize = Literal["auto", "always", "never"]
RunArtifact = Callable[[OnnxArtifact], dict[str, NDArray[Any]]]
# Of the held-out rows: half a point of accuracy.
MARGIN = 0.005


def quantized(model: Onnx) -> Onnx:
    """Return the graph with weights of 8 bits, and a scale for each column of a matrix.

    Activations are scaled as they come. Of the 8 bits 7 are used: without VNNI instructions, x86 adds the products of
    two pairs up in 16 bits, and with all 8 some would not fit. So the accuracy that is measured here is the one that
    any machine serves with.
    """
    with TemporaryDirectory() as folder, silence_warnings():
        file = Path(folder) / "int8.onnx"
        quantize_dynamic(model, file, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        return onnx.load(file)


def choose(
    quantize: Quantize, exact: OnnxArtifact, holdout: HoldoutSet, run: RunArtifact, report: Report
) -> ChosenArtifact:
    """Return a classification's artifact with 8 bits, or the exact one where the other's accuracy is lower by MARGIN.

    quantize: `always` and `never` decide without that. run: returns an artifact's outputs for the holdout set.
    """
    if quantize == "never":
        return ChosenArtifact(exact, holdout.predicted, tags={"onnx.precision": "float32"})
    small = OnnxArtifact(quantized(exact.onnx), exact.tokenizer)
    outputs = run(small)
    metrics = _comparison(exact, small, outputs, holdout)
    is_chosen = quantize == "always" or metrics["int8_accuracy"] >= metrics["float32_accuracy"] - MARGIN
    precision = "int8" if is_chosen else "float32"
    report(_summary(metrics, len(holdout.features), precision))
    tags = {"onnx.precision": precision}
    if is_chosen:
        return ChosenArtifact(small, outputs["label"], metrics, tags)
    return ChosenArtifact(exact, holdout.predicted, metrics, tags)


def _comparison(
    exact: OnnxArtifact, small: OnnxArtifact, outputs: dict[str, NDArray[Any]], holdout: HoldoutSet
) -> dict[str, float]:
    return {
        "float32_accuracy": float(np.mean(holdout.predicted == holdout.target)),
        "float32_bytes": float(exact.bytes),
        "int8_accuracy": float(np.mean(outputs["label"] == holdout.target)),
        "int8_bytes": float(small.bytes),
        "int8_largest_difference": float(np.max(np.abs(outputs["probabilities"] - holdout.probabilities))),
        "int8_other_labels": float(np.sum(outputs["label"] != holdout.predicted)),
    }


def _summary(metrics: dict[str, float], rows: int, precision: str) -> str:
    return (
        f"int8: accuracy {metrics['int8_accuracy']:.4f}, {metrics['int8_bytes'] / 1e6:.1f} MB, "
        f"{metrics['int8_other_labels']:.0f} of {rows} labels differ; "
        f"float32: accuracy {metrics['float32_accuracy']:.4f}, {metrics['float32_bytes'] / 1e6:.1f} MB; "
        f"taken: {precision}"
    )
