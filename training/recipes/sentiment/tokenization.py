"""Split a text into words: in scikit-learn, and exactly so in ONNX Runtime.

The rules are those that ONNX Runtime's operators can follow without the system's locales. Its StringNormalizer with
the locale C, the only one that is everywhere, lowers A to Z and nothing else. Its Tokenizer takes a regular expression
of RE2's, whose classes such as `\\w` and whose tables of Unicode are not Python's: the ranges are written out, so that
the pattern means the same to both. RE2 takes the longest match, Python the first: here they are the same.
"""

import re
import string
from itertools import product

STRAIGHT, CURLY = "'", "\u2019"

# Scripts' letters, digits and marks, as ranges of code points; whatever is left out separates words.
_LETTERS = (
    "0-9a-zªµºÀ-ÖØ-öø-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufefc"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U0001efff\U00020000-\U0003ffff"
)
_SYMBOLS = "\u2600-\u27bf\U0001f000-\U0001faff"  # an emoji is a word of its own
# Two apostrophes at the most, as the ONNX form spells each word with either kind of each.
TOKEN = f"[{_LETTERS}]+(?:[{STRAIGHT}{CURLY}][{_LETTERS}]+){{0,2}}|[{_SYMBOLS}]"

_FOLDED = str.maketrans(string.ascii_uppercase + CURLY, string.ascii_lowercase + STRAIGHT)
_WORDS = re.compile(TOKEN)


def fold(text: str) -> str:
    """Return the text with A to Z in lower case and straight apostrophes."""
    return text.translate(_FOLDED)


def split(folded: str) -> list[str]:
    """Return the words of a folded text, in order. `don't` is one word, so that the negation stays with its verb."""
    return _WORDS.findall(folded)


def spellings(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the words as a lowered text may spell them that was not folded: each apostrophe straight or curly."""
    return list(product(*map(_with_apostrophes, words)))


def _with_apostrophes(word: str) -> list[str]:
    first, *others = word.split(STRAIGHT)
    kinds = product((STRAIGHT, CURLY), repeat=len(others))
    return [first + "".join(mark + part for mark, part in zip(marks, others, strict=True)) for marks in kinds]
