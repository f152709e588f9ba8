"""Find TCP ports of 127.0.0.1, and whether something listens on them."""

import socket

from local.settings import HOST


def free_port() -> int:
    """Return the number of a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
