"""Off-path tracing for a process. This package imports the OpenTelemetry SDK; the rest of offpath does not."""

from offpath.tracing._install import install, new_provider
from offpath.tracing._settings import TracingSettings
from offpath.tracing._traced import traced
from offpath.tracing._tracing import Tracing

__all__ = ["Tracing", "TracingSettings", "install", "new_provider", "traced"]
