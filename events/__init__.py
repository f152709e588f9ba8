"""Load sample events: the files that `sam local invoke -e` takes, too.

`python -m events` (or `make events`) writes them again; the same code writes the same bytes.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """Return the event in `events/<name>.json`."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event
