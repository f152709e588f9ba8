"""Serve the untraced application, with the shadow's prediction before the response, as one would by hand."""

from typing import Any

from benchmarks.untraced_handler import handler as answer
from benchmarks.untraced_handler import tracing


def handler(event: Any, context: Any) -> Any:
    """Answer an event, and then do what waits, while the caller waits."""
    try:
        return answer(event, context)
    finally:
        tracing.run_periodic_tasks()
