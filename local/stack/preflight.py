"""Check that the stack's ports are free, before anything starts."""

import errno
import socket
from collections import defaultdict

import psutil

from local.errors import CommandRefused
from local.settings import HOST, S3_PORTS, LocalSettings


def check_ports(settings: LocalSettings) -> None:
    """Raise CommandRefused for ports that two services want or another process has, named by their settings."""
    problems = _clashes(settings) or _taken(settings)
    if problems:
        raise CommandRefused("\n".join(problems))


def _clashes(settings: LocalSettings) -> list[str]:
    wanted: dict[int, list[str]] = defaultdict(list)
    for name, port, variable in settings.ports():
        wanted[port].append(f"{name} ({variable})")
    return [f"port {port} is wanted twice: {' and '.join(who)}" for port, who in wanted.items() if len(who) > 1]


def _taken(settings: LocalSettings) -> list[str]:
    taken = [entry for entry in settings.ports() if not _is_free(entry[1])]
    first = {variable: (name, port) for name, port, variable in reversed(taken)}
    return [
        f"port {port} of {HOST} is in use{_by(port)}: {name} needs it.\n"
        f"  End that process, or set {variable} to {_advice(variable)}."
        for variable, (name, port) in reversed(first.items())
    ]


def _advice(variable: str) -> str:
    return f"the first of {len(S3_PORTS)} free ports in a row" if variable == "OFFPATH_S3_PORT" else "a free port"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: a port just left is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise CommandRefused(
                    f"port {port} of {HOST} may not be used by this user: choose one above 1023"
                ) from error
            return False
    return True


def _by(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:  # macOS tells root only
        pass
    return ""
