"""Retry a write that has to succeed before anything goes on."""

import time
from collections.abc import Callable
from typing import TypeVar

from offpath.contracts.errors import Transient

PAUSES = (0.5, 1.0, 2.0, 5.0)

T = TypeVar("T")


def retry(write: Callable[[], T]) -> T:
    """Retry for some seconds as long as it fails. Raises Transient."""
    for pause in PAUSES:
        try:
            return write()
        except Transient:
            time.sleep(pause)
    return write()
