"""Let one stack run on a state folder: the system gives the lock back when its holder ends, however that happens."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import CommandRefused


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock, with this process's id in it.

    Raises CommandRefused, with the holder's id, when another process holds it.
    """
    with path.open("a+") as file:
        if not _try(file.fileno()):
            raise CommandRefused(
                f"a stack is running on {path.parent} already (process {holder(path)}).\n"
                "Use that one, stop it with `python -m local down`, or set OFFPATH_HOME to another folder."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def holder(path: Path) -> int | None:
    """Return the id of the process that holds the lock, or None if none does."""
    try:
        with path.open("r+") as file:
            return None if _try(file.fileno()) else int(file.read() or 0)
    except (FileNotFoundError, ValueError):
        return None


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
