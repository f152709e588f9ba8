"""offpath: traces of machine-learning predictions, off the request path.

import os
import offpath

tracing = offpath.install(os.environ, service_name="fraud-api")
tracer = tracing.tracer(__name__)

@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("predict"):
        ...

The names in `__all__` are the public surface. They are imported when they are first used: a process that needs the
contracts alone does not load the OpenTelemetry SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offpath import attributes
    from offpath.tracing import Tracing, install, traced

__version__ = "0.1.0"
__all__ = ["Tracing", "__version__", "attributes", "install", "traced"]

_MODULES = {"Tracing": "offpath.tracing", "install": "offpath.tracing", "traced": "offpath.tracing"}


if not TYPE_CHECKING:  # else a type checker takes any name for one that is there

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use (PEP 562)."""
        if name == "attributes":
            return import_module("offpath.attributes")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names, whether or not they have been imported yet."""
    return sorted({*globals(), *__all__})
