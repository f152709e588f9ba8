"""An ONNX graph in memory, and ONNX Runtime's errors as this package's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import GraphInput
from prediction_api.errors import InvalidInputs, ModelUnusable
from prediction_api.inputs.batch import Array, Outputs


class OnnxSession:
    """One graph. inputs: as ONNX Runtime describes them."""

    def __init__(self, content: bytes, threads: int) -> None:
        """Load the graph. threads: within one call of it. Raises one of ONNX Runtime's dozen types."""
        self._session = ort.InferenceSession(content, _options(threads), providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.inputs: Sequence[GraphInput] = self._session.get_inputs()

    def run(self, feeds: Mapping[str, Array]) -> Outputs:
        """The graph's outputs, by one call of it. Raises InvalidInputs for inputs that it does not take."""
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))
        except InvalidArgument as error:
            # What the signature leaves open and the graph does not, as the length of a dimension.
            detail = f"the model does not take these inputs: {str(error).partition(' : ')[2][:300]}"
            raise InvalidInputs(detail) from error


@contextmanager
def loading(version: ModelVersion) -> Iterator[None]:
    """Loads a model and tries it. Raises ModelUnusable for whatever goes wrong.

    ONNX Runtime raises a dozen types with no common base of their own, and a warm-up may fail in any way.
    """
    try:
        yield
    except ModelUnusable:
        raise
    except Exception as error:
        raise ModelUnusable(f"{version.key} does not run in ONNX Runtime {ort.__version__}: {error}") from error


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait would take the processor from other requests, and from what sends the traces.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
