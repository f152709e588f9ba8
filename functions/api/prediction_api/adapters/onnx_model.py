"""Models run by ONNX Runtime."""

from collections.abc import Sequence
from typing import Any

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import feeder
from prediction_api.adapters.onnx_session import OnnxSession, loading
from prediction_api.adapters.onnx_warm_up import example_batch
from prediction_api.format_predictions import predictions
from prediction_api.inputs.batch import Batch, Outputs, Record, batch_of


class OnnxModel:
    """One ONNX graph, called as the model's signature says.

    The graph takes the signature's tensors, or of columns either one tensor of shape [records, columns], in the
    signature's order, or one of shape [records, 1] or [records] for each, by its name.
    """

    def __init__(self, content: bytes, version: ModelVersion, threads: int = 1) -> None:
        """Load the graph and run it once. threads: within one call of the graph. Raises ModelUnusable."""
        self._version = version
        with loading(version):
            self._session = OnnxSession(content, threads)
            self._feed = feeder(version, self._session.inputs)
            self._try(example_batch(version, self._session.inputs))

    def run(self, batch: Batch) -> Outputs:
        """The graph's outputs, by one call of it. Raises InvalidInputs for inputs that it does not take."""
        return self._session.run(self._feed(batch))

    def predict(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """One prediction a record, by one call of the graph; each record has the signature's required columns."""
        return self._try(batch_of(records, self._version.signature.columns))

    def _try(self, batch: Batch) -> list[dict[str, Any]]:
        return predictions(self._version, self.run(batch), batch.records)
