"""Write the entries as a page."""

import re
from collections.abc import Iterator, Sequence

from local.reference.contents import SECTIONS, Section
from local.reference.docstrings import markdown
from local.reference.entries import Entry, entries
from local.reference.formatter import formatted_page

OPENING = """\
# API reference

The public names of the package `offpath`. `make reference` writes this page from the docstrings, and a test holds it to
them (`tests/unit/docs/test_reference.py`). [The SDK](sdk.md) shows their use from the beginning; the settings are in
[contracts](contracts.md#settings).
"""


def page() -> str:
    """Return the whole page. Raises UndocumentedError."""
    text = "\n".join([OPENING, *(line for section in SECTIONS for line in _section(section))])
    return formatted_page(text.rstrip() + "\n")


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    if section.text:
        yield f"{section.text}\n"
    found = entries(section)
    constants = [entry for entry in found if entry.value]
    if constants:
        yield from _table(constants)
    for entry in found:
        if not entry.value:
            yield from _described(entry, "###")


def _table(constants: Sequence[Entry]) -> Iterator[str]:
    yield "| Name | Value | Meaning |\n|---|---|---|"
    for entry in constants:
        meaning = re.sub(r"\s+", " ", entry.text).replace("|", "\\|")
        yield f"| `{entry.name}` | `{entry.value.strip(chr(39) + chr(34))}` | {meaning} |"
    yield ""


def _described(entry: Entry, heading: str) -> Iterator[str]:
    yield f"{heading} `{entry.name}`\n"
    if entry.signature:
        yield f"```python\n{entry.signature}\n```\n"
    yield f"{markdown(entry.text)}\n"
    for member in entry.members:
        yield from _described(member, heading + "#")
