"""Write the reference: `python -m local.reference`."""

import sys

from local.reference.entries import UndocumentedError
from local.reference.page import page
from local.sources import ROOT

REFERENCE = ROOT / "docs" / "reference.md"


def main() -> int:
    """Write the page, and return the exit code."""
    try:
        REFERENCE.write_text(page())
    except UndocumentedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"wrote {REFERENCE.relative_to(ROOT)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
