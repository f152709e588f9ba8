"""Turn the text of a docstring into Markdown."""

import re
import textwrap
from collections.abc import Iterator

# `name: …` at the beginning of a sentence describes a parameter or a field of that name.
_DESCRIBED = re.compile(r"(?:(?<=^)|(?<=[.;] ))(\w+(?:, \w+)*): (?=\S)")


def markdown(text: str) -> str:
    """Return the docstring with its code in fences, and the names of its parameters as code."""
    return "\n\n".join(_block(part) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """Yield paragraphs, and code with the blank lines within it."""
    code: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if _is_code(paragraph):
            code.append(paragraph)
            continue
        if code:
            yield "\n\n".join(code)
            code = []
        yield paragraph
    if code:
        yield "\n\n".join(code)


def _is_code(paragraph: str) -> bool:
    return paragraph.startswith(("    ", ">>> "))


def _block(part: str) -> str:
    if _is_code(part):
        return f"```python\n{textwrap.dedent(part)}\n```"
    return _DESCRIBED.sub(_code_names, " ".join(part.split()))


def _code_names(found: re.Match[str]) -> str:
    return ", ".join(f"`{name}`" for name in found[1].split(", ")) + ": "
