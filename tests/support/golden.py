"""Read the frozen examples of each published schema: tests/contract/golden, which no command writes.

`<schema>/` holds what the release that published the schema really wrote, in files that are named after what they are.
"""

import json
from pathlib import Path

from offpath.contracts.message import Message

FOLDER = Path(__file__).parents[1] / "contract" / "golden"
SUMS = FOLDER / "SHA256SUMS"
README = FOLDER / "README.md"


def golden_files() -> list[Path]:
    """Return every golden file, relative to their folder."""
    files = (path for path in FOLDER.rglob("*") if path.is_file() and path not in {SUMS, README})
    return sorted(path.relative_to(FOLDER) for path in files)


def golden(name: str) -> bytes:
    """Return a golden file's content. name: relative to their folder."""
    return (FOLDER / name).read_bytes()


def golden_message(name: str) -> Message:
    """Return the message in a golden file: `{"attributes": {…}, "body": "…"}`."""
    fields = json.loads(golden(name))
    return Message(fields["body"], fields["attributes"])
