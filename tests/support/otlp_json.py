"""Read a trace event's body."""

import json
from collections.abc import Mapping
from typing import Any


def spans_of(body: str) -> dict[str, dict[str, Any]]:
    """Return the spans of an OTLP/JSON request by their names."""
    groups = json.loads(body)["resourceSpans"]
    return {span["name"]: span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]}


def attributes_of(span: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a span or an event: OTLP's values by key."""
    return {item["key"]: item["value"] for item in span.get("attributes", [])}
