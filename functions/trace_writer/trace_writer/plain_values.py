"""OTLP's values as plain ones."""

import base64
import json
import math
from typing import Any

from trace_writer.json_converters import Fields


def as_json(value: Fields) -> str:
    """Return the JSON text of an OTLP value. Raises RecursionError if it is nested some hundred levels deep."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def plain(value: Fields) -> Any:
    """Return what an OTLP value stands for, in JSON's types: bytes in base64, numbers that are not finite as texts."""
    for kind, content in value.items():
        match kind:
            case "array_value":
                return [plain(item) for item in content.get("values", ())]
            case "kvlist_value":
                return {entry.get("key", ""): plain(entry.get("value", {})) for entry in content.get("values", ())}
            case "bytes_value":
                return base64_text(content)
            case "double_value":
                return content if math.isfinite(content) else number_name(content)
            case _:
                return content
    return None


def base64_text(content: bytes) -> str:
    """Return bytes as OTLP/JSON writes them."""
    return base64.b64encode(content).decode()


def number_name(number: float) -> str:
    """Return a number that is not finite as OTLP/JSON writes it."""
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
