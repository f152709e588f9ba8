"""Models whose graph takes the tokens of a text, as BERT and its kin do."""

from collections.abc import Sequence

import numpy as np

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import GraphInput, dtype_of
from prediction_api.adapters.onnx_session import OnnxSession, loading
from prediction_api.adapters.onnx_warm_up import example_batch
from prediction_api.adapters.tokens import TokenReader, Tokens
from prediction_api.errors import ModelUnusable
from prediction_api.format_predictions import predictions
from prediction_api.inputs.batch import Array, Batch, Outputs

_IDS = "input_ids"
_KNOWN = (_IDS, "attention_mask", "token_type_ids")


class OnnxTextModel:
    """One ONNX graph behind a tokenizer, over the signature's only column, a text.

    The graph takes integers of shape [records, tokens]: `input_ids` and, where it has them, `attention_mask` and
    `token_type_ids`. It is called for one text at a time. Together they would gain nothing on one core, would all be
    padded to the longest, take gigabytes if they are many and long, and in a graph with dynamic quantisation, whose
    scales are those of all that is in a call, each answer would hang on the other texts of its request.
    """

    def __init__(self, graph: bytes, tokenizer: bytes, version: ModelVersion, threads: int = 1) -> None:
        """Load graph and tokenizer and run them once. threads: within one call. Raises ModelUnusable."""
        [column] = version.signature.columns
        self._column = column.name
        with loading(version):
            self._session = OnnxSession(graph, threads)
            self._dtypes = {entry.name: dtype_of(entry) for entry in _checked(version, self._session.inputs)}
            self._tokens = TokenReader(tokenizer)
            batch = example_batch(version, self._session.inputs)
            predictions(version, self.run(batch), batch.records)

    def run(self, batch: Batch) -> Outputs:
        """The graph's outputs, joined in the texts' order. Raises InvalidInputs for a text that it does not take."""
        answers = [self._session.run(self._feeds(self._tokens.read(text))) for text in batch.values[self._column]]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    def _feeds(self, tokens: Tokens) -> dict[str, Array]:
        return {name: np.array([tokens[name]], dtype) for name, dtype in self._dtypes.items()}


def _checked(version: ModelVersion, inputs: Sequence[GraphInput]) -> Sequence[GraphInput]:
    names = {entry.name for entry in inputs}
    if _IDS not in names or not names.issubset(_KNOWN):
        raise ModelUnusable(
            f"{version.key} takes the inputs {sorted(names)}, but it has a tokenizer: expected {_IDS}, "
            f"and beside it only {' and '.join(_KNOWN[1:])}"
        )
    return inputs
