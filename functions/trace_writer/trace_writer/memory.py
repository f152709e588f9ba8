"""Keep memory small: errors that are kept hold no data, and what was large goes back to the system."""

import ctypes
from typing import TypeVar

E = TypeVar("E", bound=Exception)

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 128 * 1024


def without_frames(error: E) -> E:
    """Return the error without its traceback and causes, whose frames hold all that was read before it was raised."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def return_large_blocks() -> None:
    """Let glibc map each large block by itself, and unmap it when it is freed.

    By default it stops to do so once a large block was freed, and the heap keeps the holes that such blocks leave.
    Elsewhere than on glibc nothing is done.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    except (OSError, AttributeError, TypeError):
        return
