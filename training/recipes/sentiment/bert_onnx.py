"""Export an encoder and a head over its vectors as one ONNX graph."""

from typing import Any

import numpy as np
import torch

from training.onnx_artifact.convert import OPSET, silence_warnings
from training.recipe import Estimator, Onnx
from training.recipes.sentiment.bert_encoder import Pooled

# torch.export takes a dimension of length 1 in its example for one that is always 1.
_EXAMPLE = (2, 3)


class Classifier(torch.nn.Module):
    """Map tokens, [N, L], to `label`, int64 [N], and `probabilities`, float32 [N, 2].

    The head is products and their sum, not a product of matrices, so that quantisation leaves it as it is: its inputs
    are of very different sizes, and no later layer evens its errors out.
    """

    def __init__(self, pooled: Pooled, weights: Any, bias: float) -> None:
        super().__init__()
        self.pooled = pooled
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))
        self.bias = bias
        self.eval()

    def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any]:
        score = (self.pooled(input_ids, attention_mask) * self.weights).sum(1, keepdim=True) + self.bias
        positive = torch.sigmoid(score)
        return (score[:, 0] > 0).to(torch.int64), torch.cat([1 - positive, positive], dim=1)


def to_onnx(pooled: Pooled, scaler: Estimator, regression: Estimator) -> Onnx:
    """Return the ONNX model of an encoder, a fitted StandardScaler and a fitted binary LogisticRegression.

    Inputs: `input_ids` and `attention_mask`, int64 [N, L]. Outputs: `label`, int64 [N], and `probabilities`, float32
    [N, 2].
    """
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - np.dot(weights, scaler.mean_))
    return _without_notes(_export(Classifier(pooled, weights, bias)))


def _export(classifier: Classifier) -> Onnx:
    open_dimensions = {0: torch.export.Dim("records"), 1: torch.export.Dim("tokens", max=512)}
    # Two tensors: one and the same would be one input.
    tokens, mask = torch.ones(_EXAMPLE, dtype=torch.int64), torch.ones(_EXAMPLE, dtype=torch.int64)
    with silence_warnings():
        program = torch.onnx.export(
            classifier,
            (tokens, mask),
            input_names=["input_ids", "attention_mask"],
            output_names=["label", "probabilities"],
            dynamic_shapes={"input_ids": open_dimensions, "attention_mask": open_dimensions},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    return program.model_proto


def _without_notes(model: Onnx) -> Onnx:
    """Remove the exporter's notes: paths of this machine, and shapes that its own optimiser has made untrue."""
    del model.graph.value_info[:], model.metadata_props[:], model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return model
