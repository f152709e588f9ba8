"""Models whose graph takes the tokens of a text, as BERT and its kin do."""

import os
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

# Each text is read by itself, so that the library's threads would only be in the way of what else this process does. It
# reads the variable, and nothing else, when it first reads texts.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tokenizers import Tokenizer

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.adapters.onnx_feeds import GraphInput, dtype_of
from prediction_api.adapters.onnx_refusals import run_or_refuse
from prediction_api.adapters.onnx_session import OnnxSession, loading
from prediction_api.adapters.onnx_warm_up import example_batch
from prediction_api.errors import ModelUnusable
from prediction_api.format_predictions import format_predictions
from prediction_api.inputs.batch import Array, Batch, Outputs

# By the names that graphs have for them.
Tokens = Mapping[str, Sequence[int]]
# Reading takes some 350 bytes a character, and all that comes after a model's last token is read in vain. These are 512
# words, as many as BERT takes, of 100 characters, the longest that it knows.
MAX_CHARACTERS = 51_200

_IDS = "input_ids"
_KNOWN = (_IDS, "attention_mask", "token_type_ids")


class TokenReader:
    """One tokenizer. Truncation and padding are as its file says; truncation it must have."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, content: bytes) -> Self:
        """Read a file as `tokenizers.Tokenizer.save` writes it. Raises ModelUnusable for one that is none."""
        try:
            tokenizer = Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises nothing narrower
            raise ModelUnusable(f"its tokenizer's file cannot be read: {error}") from error
        if not tokenizer.truncation:
            raise ModelUnusable("its tokenizer does not truncate: save it after enable_truncation(max_length)")
        return cls(tokenizer)

    def read(self, text: str) -> Tokens:
        """Return the tokens of a text, or of its first MAX_CHARACTERS."""
        [encoding] = self._tokenizer.encode_batch_fast([text[:MAX_CHARACTERS]])
        return {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }


class OnnxTextModel:
    """One ONNX graph after a tokenizer, over the signature's only column, a text.

    The graph takes integers of shape [records, tokens]: `input_ids` and, where it has them, `attention_mask` and
    `token_type_ids`. It is called for one text at a time. Together they would gain nothing on one core, would all be
    padded to the longest, take gigabytes if they are many and long, and in a graph with dynamic quantisation, whose
    scales are those of all that is in a call, each answer would depend on the other texts of its request.
    """

    def __init__(self, column: str, session: OnnxSession, tokens: TokenReader, example: Batch) -> None:
        """column: the name of the signature's only one. example: inputs that the graph takes.

        Raises ModelUnusable for inputs of a type that is not supported.
        """
        self._column = column
        self._example = example
        self._session = session
        self._tokens = tokens
        self._dtypes = {entry.name: dtype_of(entry) for entry in session.inputs}

    @classmethod
    def load(cls, graph: bytes, tokenizer: bytes, version: ModelVersion, threads: int = 1) -> Self:
        """Load graph and tokenizer and run them once. threads: within one call. Raises ModelUnusable."""
        [column] = version.signature.columns
        with loading(version):
            session = OnnxSession.load(graph, threads)
            _check_inputs(version, session.inputs)
            example = example_batch(version, session.inputs)
            model = cls(column.name, session, TokenReader.load(tokenizer), example)
            format_predictions(version, model.run(example), example.records)
        return model

    def run(self, batch: Batch) -> Outputs:
        """Return the graph's outputs, joined in the texts' order. Raises InvalidInputs for a text it does not take."""
        return run_or_refuse(self._call, batch, self._example)

    def _call(self, batch: Batch) -> Outputs:
        answers = [self._session.run(self._feeds(str(text))) for text in batch.values[self._column]]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    def _feeds(self, text: str) -> dict[str, Array]:
        tokens = self._tokens.read(text)
        return {name: np.array([tokens[name]], dtype) for name, dtype in self._dtypes.items()}


def _check_inputs(version: ModelVersion, inputs: Sequence[GraphInput]) -> None:
    names = {entry.name for entry in inputs}
    if _IDS not in names or not names.issubset(_KNOWN):
        raise ModelUnusable(
            f"{version.key} takes the inputs {sorted(names)}, but it has a tokenizer: expected {_IDS}, "
            f"and beside it only {' and '.join(_KNOWN[1:])}"
        )
