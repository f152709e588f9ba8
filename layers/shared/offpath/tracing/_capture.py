"""Show a call's arguments and result as JSON, whatever they are."""

import json
from collections.abc import Mapping
from inspect import Signature
from typing import Any

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
    """Return the value as JSON; what JSON does not have is shown as `repr` shows it. Does not raise."""
    try:
        return json.dumps(value, default=repr)
    except Exception:
        return json.dumps(f"<{type(value).__qualname__} that cannot be shown>")
