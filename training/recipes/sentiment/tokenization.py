"""How a text becomes words: in scikit-learn, and exactly so in ONNX Runtime.

What ONNX Runtime's operators can do without the system's locales sets the rules. Its StringNormalizer with the locale
C, the only one that is everywhere, lowers A to Z and nothing else. Its Tokenizer takes a regular expression of RE2's,
whose classes such as `\\w` and whose tables of Unicode are not Python's: the ranges are written out, so that the same
pattern says the same to both. RE2 takes the longest match, Python the first: here they are the same.
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
    """The text with A to Z in lower case and straight apostrophes."""
    return text.translate(_FOLDED)


def split(folded: str) -> list[str]:
    """The words of a folded text, in order. `don't` is one of them, so that the negation stays with its verb."""
    return _WORDS.findall(folded)


def spellings(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words as a text that was lowered but not folded may have them: with each apostrophe straight or curly."""
    return list(product(*map(_with_apostrophes, words)))


def _with_apostrophes(word: str) -> list[str]:
    first, *others = word.split(STRAIGHT)
    kinds = product((STRAIGHT, CURLY), repeat=len(others))
    return [first + "".join(mark + part for mark, part in zip(marks, others, strict=True)) for marks in kinds]
