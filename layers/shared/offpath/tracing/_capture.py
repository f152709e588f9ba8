"""Show a call's arguments and result as JSON, whatever they are."""

import json
from collections.abc import Mapping
from inspect import Signature
from typing import Any

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
    """Return the value as JSON; what JSON does not have, keys included, is shown as `repr` shows it. Does not raise."""
    try:
        return json.dumps(value, default=_shown)
    except Exception:  # of one part: each part is shown by itself, which takes longer
        try:
            return json.dumps(_plain(value, ()))
        except Exception:  # whatever the object's own methods raise
            return json.dumps(_cannot(value))


def _plain(value: Any, around: tuple[int, ...]) -> Any:
    """Return the value made of what JSON has. around: the ids of the containers that it lies in."""
    if isinstance(value, dict | list | tuple):
        if id(value) in around or len(around) == _DEEPEST:
            return _cannot(value)
        inner = (*around, id(value))
        if isinstance(value, dict):
            return {_key(key): _plain(item, inner) for key, item in value.items()}
        return [_plain(item, inner) for item in value]
    try:
        json.dumps(value)
    except Exception:  # no part of JSON, or more digits than Python writes
        return _shown(value)
    return value


def _key(key: Any) -> Any:
    return _plain(key, ()) if isinstance(key, str | int | float | None) else _shown(key)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # whatever the object's own method raises
        return _cannot(value)


def _cannot(value: object) -> str:
    return f"<{type(value).__qualname__} that cannot be shown>"
