"""Models run by ONNX Runtime."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from offpath.manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import feeder
from prediction_api.adapters.onnx_warm_up import example_batch
from prediction_api.answers import predictions
from prediction_api.batch import Batch, Outputs, Record, batch_of
from prediction_api.loader import ModelUnusable
from prediction_api.problems import Problem


class OnnxModel:
    """One ONNX graph, called as the model's signature says.

    The graph takes the signature's tensors, or of columns either one tensor of shape [records, columns], in the
    signature's order, or one of shape [records, 1] or [records] for each, by its name.
    """

    def __init__(self, content: bytes, version: ModelVersion, threads: int = 1) -> None:
        """Load the graph and run it once. threads: within one call of the graph. Raises ModelUnusable."""
        self._version = version
        try:
            self._session = ort.InferenceSession(content, _options(threads), providers=["CPUExecutionProvider"])
            self._feed = feeder(version, self._session.get_inputs())
            self._outputs = [output.name for output in self._session.get_outputs()]
            self._try(example_batch(version, self._session.get_inputs()))
        except ModelUnusable:
            raise
        except Exception as error:
            # ONNX Runtime raises a dozen types with no common base of their own, and a warm-up may fail in any way.
            raise ModelUnusable(f"{version.key} does not run in ONNX Runtime {ort.__version__}: {error}") from error

    def run(self, batch: Batch) -> Outputs:
        """The graph's outputs, by one call of it. Raises Problem for inputs that it does not take."""
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, self._feed(batch)), strict=True))
        except InvalidArgument as error:
            # What the signature leaves open and the graph does not, as the length of a dimension.
            detail = f"the model does not take these inputs: {str(error).partition(' : ')[2][:300]}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from error

    def predict(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """One prediction a record, by one call of the graph; each record has the signature's required columns."""
        return self._try(batch_of(records, self._version.signature.columns))

    def _try(self, batch: Batch) -> list[dict[str, Any]]:
        return predictions(self._version, self.run(batch), batch.records)


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait would take the processor from other requests, and from what sends the traces.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
