"""Make texts of others fit to be printed on a terminal."""


def printable(text: str, most: int | None = None) -> str:
    """Return the text with what would steer a terminal replaced, and cut off at `most` characters."""
    shown = text if most is None or len(text) <= most else text[:most]
    safe = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in shown)
    return safe if len(shown) == len(text) else f"{safe}… ({len(text):,} characters)"
