"""Attributes of spans that MLflow does something with, and what it needs of them.

MLflow computes with them while it stores a trace (`_log_spans_once` in mlflow/store/tracking/sqlalchemy_store.py, and
the translators in mlflow/tracing/otel/translation), and a value of another shape fails the whole trace.
"""

import json
import math
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from offpath.attributes import SESSION, SPAN_TYPE, TRACE_NAME, TRACE_TAG_PREFIX
from trace_writer.json_converters import Fields
from trace_writer.mlflow_limits import (
    MAX_INT64,
    MAX_SESSION,
    MAX_SPAN_TYPE,
    MAX_TAG_KEY,
    MAX_TOKENS,
    MAX_TRACE_NAME,
    MAX_USER,
)
from trace_writer.mlflow_text import cut, quoted, text_fits
from trace_writer.plain_values import as_json

Rule = Callable[[Fields], Fields]


_TAG_KEY = re.compile(r"[/\w.\- :]*")
_RESERVED_TAGS = ("mlflow.trace.", "mlflow.artifactLocation")
_UNWRAPPED_PREFIX = "ai."
_UNWRAPPED_TIMES = 4


class Unfit(ValueError):
    """MLflow cannot take this value, in no form."""


@lru_cache(maxsize=4096)
def rule_of(key: str) -> Rule | None:
    """Return what makes a value of this attribute one that MLflow takes, or None if it takes any.

    The rule returns the value itself where nothing has to change, and raises Unfit where nothing helps.
    """
    if key in _RULES:
        return _RULES[key]
    if key.startswith(_UNWRAPPED_PREFIX):
        return _unwrapped
    if key.startswith(TRACE_TAG_PREFIX):
        return _tag_rule(key.removeprefix(TRACE_TAG_PREFIX))
    return None


def _text(longest: int, value: Fields) -> Fields:
    """A text of limited length. Another scalar becomes its text."""
    if "string_value" in value:
        text = value["string_value"]
        return value if len(text) <= longest else {"string_value": cut(text, longest)}
    if not value:
        return value
    if "array_value" in value or "kvlist_value" in value or "bytes_value" in value:
        raise Unfit("is no text")
    return {"string_value": as_json(value)}


def _span_kind(value: Fields) -> Fields:
    """No list and no map, which no Python dictionary is asked for."""
    if "array_value" in value or "kvlist_value" in value:
        return {"string_value": quoted(as_json(value))}
    if value.get("string_value", "").lstrip().startswith(("[", "{")):
        return {"string_value": quoted(value["string_value"])}
    return value


def _operation(value: Fields) -> Fields:
    """The operation of Vercel's AI SDK, which says what kind a span is of."""
    if _span_kind(value) is not value:
        raise Unfit("is no name of an operation")
    return _unwrapped(value)


def _numbers(keys: frozenset[str], value: Fields) -> Fields:
    """A map, as JSON or as such, that has finite numbers under these keys."""
    found: Any = _parsed(value["string_value"]) if "string_value" in value else _entries(value)
    if type(found) is not dict or not all(_is_number(found[key]) for key in keys & found.keys()):
        raise Unfit(f"is no object with numbers under {', '.join(sorted(keys))}")
    return value


def _tokens(value: Fields) -> Fields:
    """A count that leaves sums of it within int64."""
    number: float = value.get("int_value", value.get("double_value", 0)) or 0
    text: str = value.get("string_value", "")
    if not math.isfinite(number) or abs(number) > MAX_TOKENS or len(text) >= len(str(MAX_TOKENS)):
        raise Unfit(f"is no number of tokens, at most {MAX_TOKENS}")
    return value


def _tag_rule(key: str) -> Rule | None:
    """Refuse a tag that MLflow keeps for itself, or that it passes over for its name."""
    if key.startswith(_RESERVED_TAGS):
        return partial(_refuse, "is a tag that MLflow keeps its own records in")
    is_path = posixpath.normpath(key) == key and key != "." and not key.startswith(("..", "/"))
    if len(key) > MAX_TAG_KEY or not is_path or not _TAG_KEY.fullmatch(key):
        return partial(_refuse, "has a name that no tag in MLflow has")
    return None


def _refuse(reason: str, _value: Fields) -> Fields:
    raise Unfit(reason)


def _unwrapped(value: Fields) -> Fields:
    """Texts that fit when what they hold is parsed, and parsed again: the translator of Vercel's AI SDK does that."""
    for text in _texts(value):
        inner: Any = text
        for _ in range(_UNWRAPPED_TIMES):
            if type(inner) is not str:
                break
            if not text_fits(inner):
                raise Unfit("holds JSON that is nested too deeply, or an integer beyond 64 bits")
            inner = _parsed(inner)
    return value


def _texts(value: Fields) -> Iterator[str]:
    if "string_value" in value:
        yield value["string_value"]
    for item in value.get("array_value", {}).get("values", ()):
        yield from _texts(item)
    for entry in value.get("kvlist_value", {}).get("values", ()):
        yield from _texts(entry.get("value", {}))


def _entries(value: Fields) -> dict[str, Any] | None:
    if "kvlist_value" not in value:
        return None
    found = {entry.get("key", ""): entry.get("value", {}) for entry in value["kvlist_value"].get("values", ())}
    return {key: item.get("int_value", item.get("double_value")) for key, item in found.items()}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_number(value: object) -> bool:
    return type(value) is float or (isinstance(value, int) and abs(value) <= MAX_INT64)


# MLflow's names and, of other vendors, what its translators read.
_TOKEN_KEYS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.token_count.total",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_write",
    "llm.usage.prompt_tokens",
    "llm.usage.completion_tokens",
    "llm.usage.total_tokens",
    "usage.prompt_tokens",
    "usage.completion_tokens",
    "usage.total_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
)
_SPAN_KIND_KEYS = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "langfuse.observation.type",
    "lmnr.span.type",
    "span.type",
    "entity.type",
)
_USAGE_KEYS = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    }
)
_COST_KEYS = frozenset({"input_cost", "output_cost", "total_cost"})
_RULES: dict[str, Rule] = {
    SPAN_TYPE: partial(_text, MAX_SPAN_TYPE),
    SESSION: partial(_text, MAX_SESSION),
    "gen_ai.conversation.id": partial(_text, MAX_SESSION),
    "user.id": partial(_text, MAX_USER),
    TRACE_NAME: partial(_text, MAX_TRACE_NAME),
    "mlflow.llm.cost": partial(_numbers, _COST_KEYS),
    "mlflow.chat.tokenUsage": partial(_numbers, _USAGE_KEYS),
    "ai.operationId": _operation,
    **dict.fromkeys(_TOKEN_KEYS, _tokens),
    **dict.fromkeys(_SPAN_KIND_KEYS, _span_kind),
}
