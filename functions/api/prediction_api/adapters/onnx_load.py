"""Which of the adapters runs a model."""

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.models.loader import ModelFiles
from prediction_api.models.on_demand import Runnable


def load_model(files: ModelFiles, version: ModelVersion, threads: int = 1) -> Runnable:
    """The model in these files, tried once. threads: within one call of its graph. Raises ModelUnusable."""
    if files.tokenizer is None:
        return OnnxModel(files.graph, version, threads)

    from prediction_api.adapters.onnx_text import OnnxTextModel  # a cold start without such a model needs no tokenizers

    return OnnxTextModel(files.graph, files.tokenizer, version, threads)
