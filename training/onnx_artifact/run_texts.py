"""A graph that takes the tokens of a text, run as it is served: one text at a time."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from tokenizers import Tokenizer


def run_texts(session: InferenceSession, tokenizer: bytes, texts: Iterable[str]) -> dict[str, NDArray[Any]]:
    """The graph's outputs for all texts, by its names.

    A graph with dynamic quantisation says something slightly different of a text in other company, so that texts in one
    call would not be judged as they are served.
    """
    names = [output.name for output in session.get_outputs()]
    read = Tokenizer.from_buffer(tokenizer)
    answers = [session.run(names, _feeds(read.encode(text))) for text in texts]
    return {name: np.concatenate(parts) for name, *parts in zip(names, *answers, strict=True)}


def _feeds(encoding: Any) -> dict[str, NDArray[np.int64]]:
    return {
        "input_ids": np.array([encoding.ids], np.int64),
        "attention_mask": np.array([encoding.attention_mask], np.int64),
    }
