"""Let what a copy of a process must not share with the other one begin anew there.

A forked child has its parent's memory, but not its threads: a lock that one of them held is never released, connections
are the parent's, and so is what waited. An environment that Lambda restores from a snapshot is a copy, too, of which
there are many.
"""

import logging
import os
from collections.abc import Callable
from weakref import WeakMethod

_log = logging.getLogger(__name__)


class _Copies:
    """What begins anew in a copy, in this order, each for as long as its object lives."""

    def __init__(self) -> None:
        self._methods: tuple[WeakMethod[Callable[[], None]], ...] = ()

    def add(self, method: Callable[[], None]) -> None:
        self._methods = (*(known for known in self._methods if known()), WeakMethod(method))

    def begin(self) -> None:
        for known in self._methods:
            if method := known():
                try:
                    method()
                except Exception:
                    _log.exception("tracing cannot begin anew in the copy of a process")


_forks = _Copies()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forks.begin)


def in_each_child(method: Callable[[], None]) -> None:
    """Call the method at the begin of each forked child. It takes no lock that another thread may have held."""
    _forks.add(method)
