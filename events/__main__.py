"""Write the sample events again: `python -m events`."""

import json

from events import FOLDER
from events.samples import SAMPLES


def main() -> None:
    """Write every sample beside this file."""
    for name, sample in SAMPLES.items():
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(sample(), indent=2) + "\n", encoding="utf-8")
        print(f"events/{path.name}")  # noqa: T201


if __name__ == "__main__":
    main()
