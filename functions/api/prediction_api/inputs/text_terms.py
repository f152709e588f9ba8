"""The terms of a text, as scikit-learn's vectorizers make them."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from offpath.contracts.model_manifest import TextAnalyzer
from offpath.contracts.names import TERM_SEPARATOR, TERMS_SEPARATOR

_SPACES = re.compile(r"\s\s+")
_SEPARATORS = (TERM_SEPARATOR, TERMS_SEPARATOR)


def prepared_text(text: str, analyzers: Sequence[TextAnalyzer]) -> str:
    """Return the terms of a text for each analyzer, as a graph takes them: a separator ends those of each."""
    return "".join(TERM_SEPARATOR.join(terms(text, analyzer)) + TERMS_SEPARATOR for analyzer in analyzers)


def terms(text: str, analyzer: TextAnalyzer) -> list[str]:
    """Return the terms of a text, one for each time that it has one, without those that hold a separator.

    No vocabulary has such a term, so that a graph would pass over it.
    """
    found = _ANALYZERS[analyzer.analyzer](_folded(text, analyzer), analyzer)
    return [term for term in found if not any(mark in term for mark in _SEPARATORS)]


def _folded(text: str, analyzer: TextAnalyzer) -> str:
    if analyzer.lowercase:
        text = text.lower()
    if analyzer.strip_accents is None or text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    if analyzer.strip_accents == "ascii":
        return apart.encode("ascii", "ignore").decode("ascii")
    return "".join(mark for mark in apart if not unicodedata.combining(mark))


def _words(text: str, analyzer: TextAnalyzer) -> Iterator[str]:
    stop_words = _as_set(analyzer.stop_words)
    words = [word for word in _pattern(analyzer.token_pattern).findall(text) if word not in stop_words]
    for length in _lengths(analyzer, len(words)):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _characters(text: str, analyzer: TextAnalyzer) -> Iterator[str]:
    text = _SPACES.sub(" ", text)
    for length in _lengths(analyzer, len(text)):
        for start in range(len(text) - length + 1):
            yield text[start : start + length]


def _characters_of_words(text: str, analyzer: TextAnalyzer) -> Iterator[str]:
    least, most = analyzer.ngram_range
    for word in _SPACES.sub(" ", text).split():
        padded = f" {word} "
        for length in range(least, most + 1):
            for start in range(max(len(padded) - length, 0) + 1):
                yield padded[start : start + length]
            if length >= len(padded):  # a short word counts once
                break


def _lengths(analyzer: TextAnalyzer, parts: int) -> range:
    least, most = analyzer.ngram_range
    return range(least, min(most, parts) + 1)


@lru_cache(64)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@lru_cache(64)
def _as_set(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(words)


_ANALYZERS: Mapping[str, Callable[[str, TextAnalyzer], Iterator[str]]] = {
    "word": _words,
    "char": _characters,
    "char_wb": _characters_of_words,
}
