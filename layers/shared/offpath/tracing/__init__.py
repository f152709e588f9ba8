"""Off-path tracing for a process. This package imports the OpenTelemetry SDK; the rest of offpath does not."""

from offpath.tracing._install import Tracing, TracingSettings, install, new_provider
from offpath.tracing._traced import traced

__all__ = ["Tracing", "TracingSettings", "install", "new_provider", "traced"]
