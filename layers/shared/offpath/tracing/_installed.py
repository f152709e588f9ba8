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


# A new tuple with each change: `current_tracer` reads it once, whatever other threads do.
_installed: tuple[tuple[TracerSource, Tracer], ...] = ()
_lock = threading.RLock()


def add(tracing: TracerSource) -> None:
    """Let `traced` use this tracing from now on."""
    global _installed
    entry = (tracing, tracing.tracer(SCOPE))
    with _lock:
        _installed = (*_installed, entry)


def remove(tracing: TracerSource) -> None:
    """Let `traced` use the tracing that was installed before this one, if this one is installed."""
    global _installed
    with _lock:
        _installed = tuple(entry for entry in _installed if entry[0] is not tracing)


def current_tracer() -> Tracer:
    """Return the tracer of the latest tracing, or OpenTelemetry's global one where none is installed."""
    installed = _installed
    return installed[-1][1] if installed else trace.get_tracer(SCOPE)
