"""Show a call's arguments and result as JSON, whatever they are."""

import json
from collections.abc import Mapping
from enum import Enum
from inspect import Signature
from typing import Any

MOST_ITEMS = 10_000
_RECEIVERS = ("self", "cls")
# Of a list within a list: Python's JSON encoder stops at some hundreds.
_DEEPEST = 100


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

    numpy's numbers and arrays and the members of an Enum become plain values. What else JSON does not have, keys
    included, is shown as `repr` shows it, and so are arrays of more than 10,000 items: the request waits for this.
    """
    try:
        return json.dumps(value, default=_shown)
    except Exception:  # of one part: each part is shown by itself, which takes longer
        try:
            return json.dumps(_parts(value, ()))
        except Exception:  # whatever the object's own methods raise
            return json.dumps(_cannot(value))


def plain(value: Any) -> Any:
    """Return the value of an Enum's member, an array's items, a number of numpy's as Python's, or the value itself."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "dtype") and hasattr(value, "tolist") and getattr(value, "size", 0) <= MOST_ITEMS:
        return value.tolist()  # numpy's, and others like them
    return value


def _parts(value: Any, around: tuple[int, ...]) -> Any:
    """Return the value made of what JSON has. around: the ids of the containers that it lies in."""
    if isinstance(value, dict | list | tuple):
        if id(value) in around or len(around) == _DEEPEST:
            return _cannot(value)
        inner = (*around, id(value))
        if isinstance(value, dict):
            return {_key(key): _parts(item, inner) for key, item in value.items()}
        return [_parts(item, inner) for item in value]
    try:
        return json.loads(json.dumps(value, default=_shown))
    except Exception:  # more digits than Python writes, or an object whose methods raise
        return _repr(value)


def _key(key: Any) -> Any:
    return _parts(key, ()) if isinstance(key, str | int | float | None) else _repr(key)


def _shown(value: object) -> object:
    """Return a plain value of the same, or its text."""
    found = plain(value)
    return _repr(value) if found is value else found


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # whatever the object's own method raises
        return _cannot(value)


def _cannot(value: object) -> str:
    return f"<{type(value).__qualname__} that cannot be shown>"
