"""An ONNX graph in memory, its threads, and ONNX Runtime's errors as this package's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

import onnxruntime as ort

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import GraphInput
from prediction_api.errors import ModelUnusable
from prediction_api.inputs.batch import Array, Outputs

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_PER_CPU = 1_769


class OnnxSession:
    """One graph. inputs: as ONNX Runtime describes them."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._outputs = [output.name for output in session.get_outputs()]
        self.inputs: Sequence[GraphInput] = session.get_inputs()

    @classmethod
    def load(cls, content: bytes, threads: int) -> Self:
        """Load a graph. threads: within one call of it. Raises one of ONNX Runtime's dozen types."""
        return cls(ort.InferenceSession(content, _options(threads), providers=["CPUExecutionProvider"]))

    def run(self, feeds: Mapping[str, Array]) -> Outputs:
        """Return the graph's outputs, by one call of it. Raises one of ONNX Runtime's dozen types."""
        return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))


@contextmanager
def loading(version: ModelVersion) -> Iterator[None]:
    """Raise ModelUnusable for whatever goes wrong while a model is loaded and tried.

    ONNX Runtime raises a dozen types with no common base of their own, and a warm-up may fail in any way.
    """
    try:
        yield
    except ModelUnusable:
        raise
    except Exception as error:
        raise ModelUnusable(f"{version.key} does not run in ONNX Runtime {ort.__version__}: {error}") from error


def onnx_threads(setting: int | None, lambda_memory_mb: str | None) -> int:
    """Return the setting, or as many threads as a Lambda function of that memory has whole CPUs; one outside Lambda.

    A server outside Lambda runs several requests at once, so that more threads for each gain nothing by themselves.
    """
    if setting is not None:
        return setting
    memory = int(lambda_memory_mb) if lambda_memory_mb and lambda_memory_mb.isdecimal() else 0
    return max(1, memory // MB_PER_CPU)


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait would take the processor from other requests, and from the trace worker.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
