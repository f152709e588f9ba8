"""TCP ports of 127.0.0.1 for servers that are about to be started, never the same for two processes at one time.

A port that the system is asked for and that is closed again may be anybody's before the server is up: the system gives
such ports to every outgoing connection. Here each process takes a block of ports below those. The first port of a block
is its lock: it stays bound, with nobody listening, until the process ends.
"""

import atexit
import socket
import threading
from functools import cache

from local.settings import HOST

FIRST, END, BLOCK = 20_000, 32_000, 400


def free_port() -> int:
    """Return a port that no other process gets from here, and on which nothing listens now."""
    return row_of_free_ports(1)


def row_of_free_ports(count: int) -> int:
    """Return the first of so many such ports in a row. Raises RuntimeError if there are none."""
    return _block().row(count)


class PortBlock:
    """The ports from `first` on, for whoever holds the lock, which is bound to `first` itself."""

    def __init__(self, lock: socket.socket, first: int) -> None:
        self._lock = lock
        self._ports = range(first + 1, first + BLOCK)
        self._next = self._ports.start
        self._turn = threading.Lock()

    def row(self, count: int) -> int:
        """Return the first of so many free ports in a row, and not the ones of the last call until all had their turn.

        Raises RuntimeError if there are none.
        """
        with self._turn:
            for first in self._from_next(len(self._ports) - count + 1):
                row = range(first, first + count)
                if all(map(_is_free, row)):
                    self._next = row.stop
                    return first
        raise RuntimeError(f"no {count} free ports in a row from {self._ports.start} to {self._ports[-1]} of {HOST}")

    def close(self) -> None:
        """Let another process have the block."""
        self._lock.close()

    def _from_next(self, count: int) -> list[int]:
        """Return the first `count` ports of the block, from the next one on and then from the start."""
        ports = self._ports[: max(count, 0)]
        return [port for port in ports if port >= self._next] + [port for port in ports if port < self._next]


@cache
def _block() -> PortBlock:
    block = take_block()
    atexit.register(block.close)
    return block


def take_block() -> PortBlock:
    """Return a block that no other process has. Raises RuntimeError if each is taken."""
    for first in range(FIRST, END, BLOCK):
        lock = socket.socket()
        try:
            lock.bind((HOST, first))
        except OSError:
            lock.close()
        else:
            return PortBlock(lock, first)
    raise RuntimeError(f"every block of ports from {FIRST} to {END} of {HOST} is taken")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just left is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
