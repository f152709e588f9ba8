"""Vectorizers of texts.

The serving side makes the terms of a text, in Python as scikit-learn does: a graph's operators fold and split texts by
other rules. The graph gets the terms with a separator between them, and counts those of the vocabulary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import numpy_helper

from offpath.contracts.model_manifest import TextAnalyzer
from offpath.contracts.names import TERM_SEPARATOR, TERMS_SEPARATOR
from training.double_precision.convert import NotWritten, Table, by_name, transforms
from training.double_precision.graph import Value
from training.double_precision.scale import normalized
from training.recipe import Estimator

# A record's counts are a row of doubles.
_MOST_TERMS = 500_000


@transforms("CountVectorizer")
def _counted(estimator: Estimator, table: Table) -> Table:
    return table.of(_counts(estimator, table), len(estimator.vocabulary_), single=False)


@transforms("TfidfVectorizer")
def _weighted(estimator: Estimator, table: Table) -> Table:
    counts = table.of(_counts(estimator, table), len(estimator.vocabulary_), single=False)
    return _tfidf(estimator._tfidf, counts)


@transforms("TfidfTransformer")
def _tfidf(estimator: Estimator, table: Table) -> Table:
    found = table.matrix
    if estimator.sublinear_tf:
        some = found > 0.0
        found = found.graph.where(some, found.graph.where(some, found, 1.0).apply("Log") + 1.0, 0.0)
    if estimator.use_idf:
        found *= by_name(estimator.idf_).reshape(1, -1)
    return table.of(normalized(found, estimator.norm), table.width)


@transforms("HashingVectorizer")
def _hashed(estimator: Estimator, table: Table) -> Table:
    if estimator.n_features > _MOST_TERMS:
        raise NotWritten(f"HashingVectorizer with n_features={estimator.n_features}, over {_MOST_TERMS}")
    terms, graph = _terms(estimator, table), table.graph
    hashes = terms.apply("MurmurHash3", domain="com.microsoft", positive=0, seed=0).whole()
    index = graph.op("Mod", hashes.apply("Abs"), graph.constant(estimator.n_features, np.int64))
    padded = terms.equals(graph.constant([[""]], np.object_))
    signs = graph.where(
        padded, 0.0, graph.where(hashes.double() >= 0.0, 1.0, -1.0 if estimator.alternate_sign else 1.0)
    )
    sums = _added(table, index, signs, estimator.n_features)
    counts = (sums.apply("Abs") > 0.0).double() if estimator.binary else sums
    return table.of(normalized(counts, estimator.norm), estimator.n_features, single=False)


def _counts(estimator: Estimator, table: Table) -> Value:
    """Return how often a text has each term of the vocabulary, of shape [records, terms]."""
    vocabulary = {str(term): int(at) for term, at in estimator.vocabulary_.items()}
    if len(vocabulary) > _MOST_TERMS or any(
        mark in term for term in vocabulary for mark in (TERM_SEPARATOR, TERMS_SEPARATOR)
    ):
        raise NotWritten(
            f"{type(estimator).__name__} with more than {_MOST_TERMS} terms, or control characters in them"
        )
    width = len(vocabulary)
    index = _terms(estimator, table).apply(
        "LabelEncoder",
        domain="ai.onnx.ml",
        keys_strings=list(vocabulary),
        values_int64s=list(vocabulary.values()),
        default_int64=width,
    )
    ones = table.graph.where(index.equals(index), 1.0, 1.0)
    counts = (
        _added(table, index, ones, width + 1).take(list(range(width)))
        if width < 64
        else _cut(_added(table, index, ones, width + 1), width)
    )
    return (counts > 0.0).double() if estimator.binary else counts


def _cut(matrix: Value, width: int) -> Value:
    graph = matrix.graph
    return graph.op("Slice", matrix, graph.indexes(0), graph.indexes(width), graph.indexes(1))


def _added(table: Table, index: Value, values: Value, width: int) -> Value:
    """Return the values added up by index, of shape [records, width]."""
    graph = table.graph
    records = table.column(0).apply("Shape", start=0, end=1)
    zero = numpy_helper.from_array(np.zeros(1))
    zeros = graph.concat([records, graph.indexes(width)], axis=0).apply("ConstantOfShape", value=zero)
    return graph.op("ScatterElements", zeros, index, values, axis=1, reduction="add")


def _terms(estimator: Estimator, table: Table) -> Value:
    """Return the terms of each text, of shape [records, terms]; shorter rows are filled up with empty texts."""
    column = table.column(0)
    if table.width != 1 or column.name not in table.graph.text_inputs:
        raise NotWritten(f"{type(estimator).__name__} of anything but an input column")
    analyzers = table.graph.text_inputs[column.name]
    analyzer = analyzer_of(estimator)
    if analyzer not in analyzers:
        analyzers.append(analyzer)
    at = analyzers.index(analyzer)
    sections = table.graph.node("StringSplit", column.reshape(-1), outputs=2, delimiter=TERMS_SEPARATOR)[0]
    one = sections.take(at)
    return table.graph.node("StringSplit", one, outputs=2, delimiter=TERM_SEPARATOR)[0]


def analyzer_of(estimator: Estimator) -> TextAnalyzer:
    """Return how a vectorizer makes terms. Raises NotWritten for functions of a team's own."""
    for name in ("preprocessor", "tokenizer"):
        if getattr(estimator, name) is not None:
            raise NotWritten(f"{type(estimator).__name__} with a {name} of its own, which is Python code")
    if callable(estimator.analyzer) or callable(estimator.strip_accents) or estimator.input != "content":
        raise NotWritten(f"{type(estimator).__name__} with Python code, or of files")
    is_word = estimator.analyzer == "word"
    stop_words: Any = estimator.get_stop_words() if is_word else None
    return TextAnalyzer(
        analyzer=estimator.analyzer,
        lowercase=bool(estimator.lowercase),
        strip_accents=estimator.strip_accents,
        token_pattern=estimator.token_pattern if is_word else "",
        ngram_range=(int(estimator.ngram_range[0]), int(estimator.ngram_range[1])),
        stop_words=tuple(sorted(map(str, stop_words or ()))),
    )
