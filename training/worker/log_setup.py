"""How the worker logs."""

import logging
import sys


def configure() -> None:
    """To standard error, as `LEVEL message`; of libraries, only warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("worker").setLevel(logging.INFO)
