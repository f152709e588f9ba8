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


def table_of(letters: Sequence[Letter]) -> Table:
    """Return a table with a row a letter."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "kept (UTC)", "model"):
        table.add_column(name, no_wrap=name == "kept (UTC)", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for name in ("trace", "state", "reason"):
        table.add_column(name, overflow="fold")
    for letter in letters:
        table.add_row(*map(Text, _cells(letter)))  # a reason may look like markup
    return table


def document_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON has it."""
    return asdict(letter) | {"kept_at": letter.kept_at.isoformat()}


def size_text(size: int) -> str:
    """Return bytes as people read them."""
    return f"{size:,} B" if size < 10_000 else f"{size / 1000:,.0f} kB"


def _cells(letter: Letter) -> list[str]:
    kept = f"{letter.kept_at.astimezone(UTC):%Y-%m-%d %H:%M}"
    reason = f"{letter.error}: {' '.join(letter.reason.split())}"
    cells = [letter.name, kept, letter.model, size_text(letter.size), letter.trace_id, letter.state]
    return [*map(printable, cells), printable(reason, _REASON_CHARACTERS)]
