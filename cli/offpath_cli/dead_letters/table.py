"""Show dead letters to people."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

from rich.table import Table
from rich.text import Text

from offpath_cli.dead_letters.letters import Letter
from offpath_cli.printable import printable

_REASON_CHARACTERS = 120
_SHORT = 8


def table_of(letters: Sequence[Letter]) -> Table:
    """Return a table with a row a letter; its ids are as short as the commands take them."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "kept (UTC)", "model"):
        table.add_column(name, no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for name in ("trace", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("reason", overflow="fold")
    length = short_length([letter.name for letter in letters])
    for letter in letters:
        table.add_row(*map(Text, _cells(letter, length)))  # a reason may look like markup
    return table


def short_length(names: Sequence[str]) -> int:
    """Return how many characters of each of these names tell it from all others, eight at least."""
    longest = max(map(len, names), default=0)
    told = (length for length in range(_SHORT, longest) if len({name[:length] for name in names}) == len(set(names)))
    return next(told, max(longest, _SHORT))


def document_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON has it."""
    return asdict(letter) | {"kept_at": letter.kept_at.isoformat()}


def size_text(size: int) -> str:
    """Return bytes as people read them."""
    return f"{size:,} B" if size < 10_000 else f"{size / 1000:,.0f} kB"


def _cells(letter: Letter, length: int) -> list[str]:
    kept = f"{letter.kept_at.astimezone(UTC):%Y-%m-%d %H:%M}"
    reason = f"{letter.error}: {' '.join(letter.reason.split())}"
    cells = [letter.name[:length], kept, letter.model, size_text(letter.size), letter.trace_id[:_SHORT], letter.state]
    return [*map(printable, cells), printable(reason, _REASON_CHARACTERS)]
