"""Choose the lines of the services' logs that the terminal shows, and their form. The files have all, as they are."""

import json
import re
from typing import Any

# SeaweedFS: errors and worse, in glog's format. MiniStack, MLflow: errors and answers 5xx.
_SHOWN = {
    "s3": re.compile(r"^[EF]\d{4} "),
    "sqs": re.compile(r"Traceback|\bERROR\b|Error:|\" 5\d\d "),
    "mlflow": re.compile(r"Traceback|\b(WARNING|ERROR|CRITICAL)\b|Error:"),
}
# The stack's own readiness probes and uvicorn's start; sweeps that find nothing.
_HIDDEN = {
    "api": re.compile(r"\"GET /health HTTP|INFO:     (Started|Waiting|Application|Uvicorn|Shutting|Finished)"),
    "writer": re.compile(r"\"message\":\"spill swept\".*\"found\":0,"),
}
_POWERTOOLS = {"level", "location", "message", "timestamp", "service", "cold_start", "xray_trace_id", "sampling_rate"}


def for_terminal(name: str, line: str, ready: bool) -> str | None:
    """Return the line of a service as the terminal shows it, or None.

    ready: whether the service does its work yet. What servers of others log while they start is left out.
    """
    shown, hidden = _SHOWN.get(name), _HIDDEN.get(name)
    if not line or (shown and not (ready and shown.search(line))) or (hidden and hidden.search(line)):
        return None
    return _from_json(line) if line.startswith("{") else line


def _from_json(line: str) -> str:
    try:
        entry: Any = json.loads(line)
        head = f"{entry['level']} {entry['message']}"
    except (ValueError, KeyError, TypeError):
        return line
    fields = [
        f"{key}={value}" for key, value in entry.items() if key not in _POWERTOOLS and not key.startswith("function_")
    ]
    return " ".join([head, *fields])
