"""The two sentiments, and how files spell them."""

LABELS = ("negative", "positive")
_SPELT = {"0": 0, "1": 1, "neg": 0, "pos": 1, "negative": 0, "positive": 1}
EXPECTED = ", ".join(_SPELT)


def class_index(text: str) -> int | None:
    """The index in LABELS, or None for what is no label."""
    return _SPELT.get(text.strip().lower())
