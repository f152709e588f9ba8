"""A smaller, faster form of a graph, where that costs hardly any accuracy."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from training.recipes.recipe import Chosen, HeldOut, Onnx, OnnxArtifact, Say
from training.silence_warnings import silence_warnings

Quantize = Literal["auto", "always", "never"]
Run = Callable[[OnnxArtifact], dict[str, NDArray[Any]]]
# Of the held-out rows: half a point of accuracy.
MARGIN = 0.005


def quantized(model: Onnx) -> Onnx:
    """The graph with weights of 8 bits, a scale for each column of a matrix, and activations scaled as they come.

    Of the 8 bits 7 are used: without VNNI instructions, x86 adds the products of two pairs up in 16 bits, and with all
    8 some would not fit. So the accuracy that is measured here is the one that any machine serves with.
    """
    with TemporaryDirectory() as folder, silence_warnings():
        file = Path(folder) / "int8.onnx"
        quantize_dynamic(model, file, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        return onnx.load(file)


def choose(quantize: Quantize, exact: OnnxArtifact, held_out: HeldOut, run: Run, say: Say) -> Chosen:
    """The form of a classification with 8 bits, or if that is less accurate by more than MARGIN the exact one.

    quantize: `always` and `never` decide without that. run: what a form says of the held-out rows.
    """
    if quantize == "never":
        return Chosen(exact, held_out.predicted, tags={"onnx.precision": "float32"})
    small = OnnxArtifact(quantized(exact.onnx), exact.tokenizer)
    said = run(small)
    metrics = _compared(exact, small, said, held_out)
    is_taken = quantize == "always" or metrics["int8_accuracy"] >= metrics["float32_accuracy"] - MARGIN
    precision = "int8" if is_taken else "float32"
    say(_told(metrics, len(held_out.features), precision))
    tags = {"onnx.precision": precision}
    return Chosen(small, said["label"], metrics, tags) if is_taken else Chosen(exact, held_out.predicted, metrics, tags)


def _compared(
    exact: OnnxArtifact, small: OnnxArtifact, said: dict[str, NDArray[Any]], held_out: HeldOut
) -> dict[str, float]:
    return {
        "float32_accuracy": float(np.mean(held_out.predicted == held_out.target)),
        "float32_bytes": float(exact.bytes),
        "int8_accuracy": float(np.mean(said["label"] == held_out.target)),
        "int8_bytes": float(small.bytes),
        "int8_largest_difference": float(np.max(np.abs(said["probabilities"] - held_out.probabilities))),
        "int8_other_labels": float(np.sum(said["label"] != held_out.predicted)),
    }


def _told(metrics: dict[str, float], rows: int, precision: str) -> str:
    return (
        f"int8: accuracy {metrics['int8_accuracy']:.4f}, {metrics['int8_bytes'] / 1e6:.1f} MB, "
        f"{metrics['int8_other_labels']:.0f} of {rows} labels differ; "
        f"float32: accuracy {metrics['float32_accuracy']:.4f}, {metrics['float32_bytes'] / 1e6:.1f} MB; "
        f"taken: {precision}"
    )
