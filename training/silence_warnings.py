"""Libraries that tell a person who waits for a training what only their own developers can use."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence_warnings() -> Iterator[None]:
    """No warnings meanwhile, neither Python's nor logged ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
