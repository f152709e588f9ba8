"""Show a call's arguments and result as JSON, whatever they are."""

import json
from collections.abc import Mapping
from enum import Enum
from inspect import Signature
from typing import Any

MOST_ITEMS = 10_000
_RECEIVERS = ("self", "cls")


def arguments_json(signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return the arguments by their parameters' names, without the object that a method belongs to. Does not raise."""
    try:
        given = dict(signature.bind(*args, **kwargs).arguments)
    except TypeError:  # the call itself will say so
        given = {"args": list(args), "kwargs": dict(kwargs)}
    if next(iter(given), None) in _RECEIVERS:
        del given[next(iter(given))]
    return to_json(given)


def to_json(value: object) -> str:
    """Return the value as JSON. Does not raise.

    numpy's numbers and arrays and the members of an Enum become plain values. What else JSON does not have is shown as
    `repr` shows it, and so are arrays of more than 10,000 items: the request waits for this.
    """
    try:
        return json.dumps(value, default=_shown)
    except Exception:
        return json.dumps(f"<{type(value).__qualname__} that cannot be shown>")


def plain(value: Any) -> Any:
    """Return the value of an Enum's member, an array's items, a number of numpy's as Python's, or the value itself."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "dtype") and hasattr(value, "tolist") and getattr(value, "size", 0) <= MOST_ITEMS:
        return value.tolist()  # numpy's, and others like them
    return value


def _shown(value: Any) -> Any:
    found = plain(value)
    return repr(value) if found is value else found
