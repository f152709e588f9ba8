"""Sample events: what `sam local invoke -e` takes, and what tests load.

`python -m events` (or `make events`) writes them anew; the same code writes the same bytes.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """The event in `events/<name>.json`."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event
