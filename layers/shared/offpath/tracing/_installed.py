"""Remember which tracing this process has installed: `traced` makes its spans with the latest."""

from typing import Protocol

from opentelemetry import trace
from opentelemetry.trace import Tracer

SCOPE = "offpath.traced"


class TracerSource(Protocol):
    """Makes tracers."""

    def tracer(self, name: str) -> Tracer:
        """Return a tracer for the instrumentation scope of that name."""


_installed: list[tuple[TracerSource, Tracer]] = []


def add(tracing: TracerSource) -> None:
    """Let `traced` use this tracing from now on."""
    _installed.append((tracing, tracing.tracer(SCOPE)))


def remove(tracing: TracerSource) -> None:
    """Let `traced` use the tracing that was installed before this one, if this one is installed."""
    _installed[:] = [entry for entry in _installed if entry[0] is not tracing]


def current_tracer() -> Tracer:
    """Return the tracer of the latest tracing, or OpenTelemetry's global one where none is installed."""
    return _installed[-1][1] if _installed else trace.get_tracer(SCOPE)
