"""The terms of a text are those of scikit-learn's vectorizers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from offpath.contracts.names import TERM_SEPARATOR, TERMS_SEPARATOR
from prediction_api.inputs.text_terms import prepared_text, terms
from training.double_precision.text import analyzer_of

VECTORIZERS: dict[str, dict[str, Any]] = {
    "words": {},
    "words as they are": {"lowercase": False, "token_pattern": r"\S+"},
    "a group of the pattern": {"token_pattern": r"(?u)\b(\w)\w*\b"},
    "runs of words": {"ngram_range": (1, 3), "stop_words": ["the", "not"]},
    "English words": {"stop_words": "english", "ngram_range": (2, 2)},
    "without accents": {"strip_accents": "unicode"},
    "ASCII": {"strip_accents": "ascii", "lowercase": False},
    "characters": {"analyzer": "char", "ngram_range": (1, 4)},
    "characters of words": {"analyzer": "char_wb", "ngram_range": (2, 5), "strip_accents": "unicode"},
    "long characters of words": {"analyzer": "char_wb", "ngram_range": (4, 6)},
}
# Capitals of more than one kind, marks apart from their letters, ligatures, spaces of many kinds, emoji.
TEXTS = st.text() | st.text(
    "aAbB éÉe\u0301\u0130\u0131ßẞ\u03a3\u03c3\u03c2\ufb01\t\n\u00a0\u200b日本😀_-'. 12", max_size=40
)


@pytest.mark.parametrize("name", VECTORIZERS)
@given(text=TEXTS)
@settings(deadline=None, max_examples=60)
def test_terms_are_those_of_scikit_learn(name: str, text: str) -> None:
    vectorizer = CountVectorizer(**VECTORIZERS[name])
    expected = [
        term for term in vectorizer.build_analyzer()(text) if TERM_SEPARATOR not in term and TERMS_SEPARATOR not in term
    ]
    assert sorted(terms(text, analyzer_of(vectorizer))) == sorted(expected)


def test_a_separator_ends_the_terms_of_each_analyzer() -> None:
    analyzers = [analyzer_of(CountVectorizer()), analyzer_of(CountVectorizer(lowercase=False))]
    assert prepared_text("Good film", analyzers) == "good\x1ffilm\x1eGood\x1ffilm\x1e"
    assert prepared_text("", analyzers) == "\x1e\x1e"
