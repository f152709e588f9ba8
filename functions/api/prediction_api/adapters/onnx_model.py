"""Models run by ONNX Runtime."""

from typing import Self

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import Feed, feeder
from prediction_api.adapters.onnx_refusals import run_or_refuse
from prediction_api.adapters.onnx_session import OnnxSession, loading
from prediction_api.adapters.onnx_warm_up import example_batch
from prediction_api.format_predictions import format_predictions
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.loader import ModelFiles
from prediction_api.models.on_demand import Runnable


class OnnxModel:
    """One ONNX graph, called as the model's signature says.

    The graph takes the signature's tensors, or of columns either one tensor of shape [records, columns], in the
    signature's order, or one of shape [records, 1] or [records] for each, by its name.
    """

    def __init__(self, session: OnnxSession, feed: Feed, example: Batch) -> None:
        """example: inputs that the graph takes."""
        self._session = session
        self._feed = feed
        self._example = example

    @classmethod
    def load(cls, content: bytes, version: ModelVersion, threads: int = 1) -> Self:
        """Load a graph and run it once. threads: within one call of the graph. Raises ModelUnusable."""
        with loading(version):
            session = OnnxSession.load(content, threads)
            example = example_batch(version, session.inputs)
            model = cls(session, feeder(version, session.inputs), example)
            format_predictions(version, model.run(example), example.records)
        return model

    def run(self, batch: Batch) -> Outputs:
        """Return the graph's outputs, by one call of it. Raises InvalidInputs for inputs that it does not take."""
        return run_or_refuse(self._call, batch, self._example)

    def _call(self, batch: Batch) -> Outputs:
        return self._session.run(self._feed(batch))


def load_model(files: ModelFiles, version: ModelVersion, threads: int = 1) -> Runnable:
    """Load a model from its files and run it once. threads: within one call of its graph. Raises ModelUnusable."""
    if files.tokenizer is None:
        return OnnxModel.load(files.graph, version, threads)

    from prediction_api.adapters.onnx_text import OnnxTextModel  # a cold start without such a model needs no tokenizers

    return OnnxTextModel.load(files.graph, files.tokenizer, version, threads)
