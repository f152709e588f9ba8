"""How the stack's own Python processes log: lines that the supervisor shows."""

import logging
import sys


def configure() -> None:
    """Log to standard output, as `LEVEL message`; of libraries, only warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stdout)
    for name in ("poller", "sync"):
        logging.getLogger(name).setLevel(logging.INFO)
