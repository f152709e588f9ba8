"""Remember which tracing this process has installed: `traced` makes its spans with the latest."""

import threading
from typing import Protocol

from opentelemetry import trace
from opentelemetry.trace import Tracer

SCOPE = "offpath.traced"


class TracerSource(Protocol):
    """Makes tracers."""

    def tracer(self, name: str) -> Tracer:
        """Return a tracer for the instrumentation scope of that name."""


class _Installed:
    """Those that are installed. entries: a new tuple with each change, which other threads read once."""

    def __init__(self) -> None:
        self.entries: tuple[tuple[TracerSource, Tracer], ...] = ()
        self.lock = threading.RLock()


_installed = _Installed()


def add(tracing: TracerSource) -> None:
    """Let `traced` use this tracing from now on."""
    entry = (tracing, tracing.tracer(SCOPE))
    with _installed.lock:
        _installed.entries = (*_installed.entries, entry)


def remove(tracing: TracerSource) -> None:
    """Let `traced` use the tracing that was installed before this one, if this one is installed."""
    with _installed.lock:
        _installed.entries = tuple(entry for entry in _installed.entries if entry[0] is not tracing)


def current_tracer() -> Tracer:
    """Return the tracer of the latest tracing, or OpenTelemetry's global one where none is installed."""
    entries = _installed.entries
    return entries[-1][1] if entries else trace.get_tracer(SCOPE)
