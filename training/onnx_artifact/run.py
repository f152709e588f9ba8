"""Run an artifact on rows, as it is served."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from offpath.contracts.model_manifest import ColumnType
from training.recipe import Frame, OnnxArtifact, Recipe

_DTYPES: dict[ColumnType, str] = {
    "double": "float32",
    "float": "float32",
    "long": "int64",
    "integer": "int64",
    "boolean": "bool",
    "string": "object",
}


def run(recipe: Recipe[Any], artifact: OnnxArtifact, features: Frame) -> dict[str, NDArray[Any]]:
    """Return the graph's outputs for these rows, by their names."""
    session = InferenceSession(artifact.onnx.SerializeToString(), providers=["CPUExecutionProvider"])
    if artifact.tokenizer:
        return _run_texts(session, artifact.tokenizer, features[recipe.column_names[0]])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, _feeds(recipe, features)), strict=True))


def _feeds(recipe: Recipe[Any], features: Frame) -> dict[str, NDArray[Any]]:
    if recipe.separate_inputs:
        return {column.name: features[[column.name]].to_numpy(_DTYPES[column.type]) for column in recipe.columns}
    return {"inputs": features[recipe.column_names].to_numpy("float32")}


def _run_texts(session: InferenceSession, tokenizer: bytes, texts: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Run a graph that takes tokens, one text at a time.

    With dynamic quantisation the texts of one call change each other's outputs a little: together they would not be
    judged as they are served.
    """
    from tokenizers import Tokenizer  # MLflow's machine, which trains none of these, has no tokenizers

    names = [output.name for output in session.get_outputs()]
    encoder = Tokenizer.from_buffer(tokenizer)
    outputs = [session.run(names, _token_feeds(encoder.encode(text))) for text in texts]
    return {name: np.concatenate(parts) for name, *parts in zip(names, *outputs, strict=True)}


def _token_feeds(encoding: Any) -> dict[str, NDArray[np.int64]]:
    return {
        "input_ids": np.array([encoding.ids], np.int64),
        "attention_mask": np.array([encoding.attention_mask], np.int64),
    }
