"""A small tokenizer, graphs that take its tokens, and their entries in a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from onnx import TensorProto, helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from local.testbed.models import Model, graph, model_of
from offpath.contracts.model_manifest import Column, PublishedFile
from offpath.contracts.names import tokenizer_file_key

WORDS = {"[UNK]": 1, "film": 10, "great": 100}
MAX_TOKENS = 8


def tokenizer_file(words: dict[str, int] | None = None, *, truncates: bool = True) -> bytes:
    """A tokenizer of words, as `tokenizers` saves it."""
    tokenizer = Tokenizer(WordLevel(words or WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    if truncates:
        tokenizer.enable_truncation(MAX_TOKENS)
    content: bytes = tokenizer.to_str().encode()
    return content


def worth(text: str) -> float:
    """Return the graph's answer to a text: the sum of its words' ids, of as many as are read."""
    return float(sum(WORDS.get(word, 1) for word in text.split()[:MAX_TOKENS]))


def sum_of_tokens(names: Sequence[str] = ("input_ids", "attention_mask"), dtype: int = TensorProto.INT64) -> Any:
    """A regression: the sum of the products of its inputs, all of shape [records, tokens]."""
    inputs = [(name, dtype, [None, None]) for name in names]
    products = [helper.make_node("Mul", [f"p{at}", name], [f"p{at + 1}"]) for at, name in enumerate(names)]
    nodes = [
        helper.make_node("Identity", ["one"], ["p0"]),
        *products,
        helper.make_node("ReduceSum", [f"p{len(names)}", "tokens"], ["sum"], keepdims=1),
        helper.make_node("Cast", ["sum"], ["variable"], to=TensorProto.FLOAT),
    ]
    constants = [
        helper.make_tensor("one", dtype, [1], [1]),
        helper.make_tensor("tokens", TensorProto.INT64, [1], [1]),
    ]
    return graph(inputs, [("variable", TensorProto.FLOAT, [None, 1])], nodes, constants)


def text_model(onnx: Any = None, tokenizer: bytes | None = None, name: str = "worth", **fields: Any) -> Model:
    """A model of a column `text`, by that graph and tokenizer."""
    content = tokenizer_file() if tokenizer is None else tokenizer
    column = Column(name="text", type="string")
    return model_of(name, onnx or sum_of_tokens(), column, **{"tokenizer": published(content)} | fields)


def published(content: bytes) -> PublishedFile:
    """A tokenizer's file as the manifest names it."""
    digest = hashlib.sha256(content).hexdigest()
    return PublishedFile(key=tokenizer_file_key(digest), sha256=digest, bytes=len(content))
