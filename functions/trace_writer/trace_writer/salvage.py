"""Saves what can be read of an OTLP/JSON request: a value of the wrong shape is mended, or dropped alone.

A request's frame is not touched: the lists that lead to its spans, and the spans' ids.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from trace_writer.changes import Changes, Place
from trace_writer.json_converters import Convert, Misfit, Table, message, of
from trace_writer.mlflow_limits import MAX_TIME
from trace_writer.otlp_tables import (
    ANY_VALUE,
    EVENT,
    LINK,
    LIST,
    MAP,
    RESOURCE,
    RESOURCE_SPANS,
    SCOPE,
    SCOPE_SPANS,
    SPAN,
    STATUS,
    any_value,
    attribute,
)

# Returns what takes a value's place, or None to drop it. It notes what it changed, but not that it dropped the value.
Fix = Callable[[Any, Place], Any]

_COUNTS = {"attributes": "droppedAttributesCount", "events": "droppedEventsCount", "links": "droppedLinksCount"}
_OTHER_TIME = {"startTimeUnixNano": "endTimeUnixNano", "endTimeUnixNano": "startTimeUnixNano"}
_MAX_COUNT = 2**32 - 1


def salvage(document: Any, changes: Changes) -> None:
    """Change a parsed request so that all of it can be read, but for a frame that is wrong."""
    place = changes.of_request()
    for resource_spans in _objects(document, "resourceSpans", place):
        _mend(resource_spans, RESOURCE_SPANS, {"resource": _resource}, place, frame=frozenset({"scopeSpans"}))
        for scope_spans in _objects(resource_spans, "scopeSpans", place):
            _mend(scope_spans, SCOPE_SPANS, {"scope": _scope}, place, frame=frozenset({"spans"}))
            for span in _objects(scope_spans, "spans", place):
                _salvage_span(span, changes.of_span(str(span.get("spanId", "")).lower(), span.get("name", "")))


def _salvage_span(span: dict[str, Any], place: Place) -> None:
    sent = {key for key in _OTHER_TIME if span.get(key) is not None}
    _mend(span, SPAN, _SPAN_FIXES, place, frame=frozenset({"traceId", "spanId"}))
    for key in sent - span.keys():  # a time of 0 would move the whole trace to 1970
        span[key] = span.get(_OTHER_TIME[key])


def _objects(holder: Any, key: str, place: Place) -> list[dict[str, Any]]:
    """The objects of a list. Whatever else is in it is dropped."""
    items = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(items, list):
        return []
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) < len(items):
        odd = next(item for item in items if not isinstance(item, dict))
        place.at(f".{key}").note("dropped: what is no object in it", odd)
        holder[key] = objects
    return objects


def _mend(
    holder: dict[str, Any], table: Table, fixes: Mapping[str, Fix], place: Place, *, frame: frozenset[str] = frozenset()
) -> None:
    """Mend or drop each field of an object that its converter refuses."""
    for key in list(holder):
        value = holder[key]
        if key not in table or key in frame or value is None:
            continue
        try:
            table[key][1](value)
        except Misfit as misfit:
            at = place.at(f".{key}")
            mended = fixes[key](value, at) if key in fixes else None
            if mended is None:
                at.note(f"dropped: {misfit.args[0]}", value)
                del holder[key]
            else:
                holder[key] = mended
            if key in _COUNTS and isinstance(value, list) and isinstance(mended, list):
                _count(holder, _COUNTS[key], len(value) - len(mended))


def _count(holder: dict[str, Any], key: str, dropped: int) -> None:
    try:
        before = int(holder.get(key) or 0)
    except (ValueError, TypeError, OverflowError):
        before = 0
    holder[key] = max(0, min(before + dropped, _MAX_COUNT))


def _each(convert: Convert, fix: Fix) -> Fix:
    """Return what mends the items of a list. Those that it cannot mend are dropped alone."""

    def fixed(values: Any, place: Place) -> Any:
        if not isinstance(values, list):
            return None
        mended = [_item(value, convert, fix, place.at(_step(index, value))) for index, value in enumerate(values)]
        return [value for value in mended if value is not None]

    return fixed


def _item(value: Any, convert: Convert, fix: Fix, place: Place) -> Any:
    try:
        convert(value)
    except Misfit as misfit:
        mended = fix(value, place)
        if mended is None:
            place.note(f"dropped: {misfit}", value)
        return mended
    return value


def _step(index: int, value: Any) -> str:
    key = value.get("key") if isinstance(value, dict) else None
    return f".{key}" if isinstance(key, str) else f"[{index}]"


def _part(table: Table, fixes: Mapping[str, Fix]) -> Fix:
    """Return what mends an object field by field."""

    def fixed(value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            return None
        _mend(value, table, fixes, place)
        return value

    return fixed


def _text(value: Any, place: Place) -> str | None:
    if not isinstance(value, int | float):
        return None
    place.note("changed to a text", value)
    return _number_text(value)


def _number_text(value: float) -> str:
    return json.dumps(value) if isinstance(value, bool | float) else str(value)


def _time(value: Any, place: Place) -> int | None:
    """A number of nanoseconds from what is one in another form."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.inf if isinstance(value, int) and value > 0 else math.nan
    if math.isnan(number):
        return None
    time = 0 if number < 0 else MAX_TIME if number > MAX_TIME else int(number)
    place.note(f"changed to {time}", value)
    return time


def _any_value(value: Any, place: Place) -> Any:
    kinds = [kind for kind in value if kind in ANY_VALUE and value[kind] is not None] if isinstance(value, dict) else []
    fix = _VALUES.get(kinds[0]) if len(kinds) == 1 else None
    return fix(value[kinds[0]], place) if fix else None


def _string_value(value: Any, place: Place) -> Any:
    text = _text(value, place)
    return None if text is None else {"stringValue": text}


def _double_value(value: Any, place: Place) -> Any:
    digits = _digits(value)
    return None if digits is None else _int_value(digits, place)


def _int_value(value: Any, place: Place) -> Any:
    """A number that is no 64-bit integer: its decimal digits as a text, or its fraction."""
    if isinstance(value, float) and math.isfinite(value):
        place.note("changed to a number with a fraction", value)
        return {"doubleValue": value}
    digits = _digits(value)
    if digits is None:
        return None
    place.note("changed to a text: it is an integer beyond 64 bits", value)
    return {"stringValue": digits}


def _digits(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return text if text.isascii() and text.removeprefix("-").isdecimal() else None


def _holding(kind: str, fix: Fix) -> Fix:
    """Return what mends the content of a list or map."""

    def fixed(value: Any, place: Place) -> Any:
        mended = fix(value, place)
        return None if mended is None else {kind: mended}

    return fixed


def _link(value: Any, place: Place) -> Any:
    """A link whose ids can be read: without them it leads nowhere."""
    if not isinstance(value, dict):
        return None
    try:
        message({name: value.get(name) for name in ("traceId", "spanId")}, LINK)
    except Misfit:
        return None
    _mend(value, LINK, _ATTRIBUTES, place)
    return value


def _list_item(value: Any, place: Place) -> Any:
    """An item of a list, which leaves a gap if it cannot be mended, so that the others stay where they are."""
    mended = _any_value(value, place)
    if mended is None:
        place.note("dropped: it cannot be read", value)
        return {}
    return mended


def _attribute(value: Any, place: Place) -> Any:
    if not isinstance(value, dict):
        return None
    key, inner = value.get("key"), value.get("value")
    if key is not None and not isinstance(key, str):
        key = _text(key, place)
        if key is None:
            return None
    try:
        any_value({} if inner is None else inner)
    except Misfit:
        inner = _any_value(inner, place)
        if inner is None:
            return None
    return {"key": key or "", "value": inner}


_ATTRIBUTES = {"attributes": _each(attribute, _attribute)}
_VALUES: dict[str, Fix] = {
    "stringValue": _string_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "arrayValue": _holding("arrayValue", _part(LIST, {"values": _each(any_value, _list_item)})),
    "kvlistValue": _holding("kvlistValue", _part(MAP, {"values": _each(attribute, _attribute)})),
}
_TEXTS = {"name": _text}
_resource = _part(RESOURCE, _ATTRIBUTES)
_scope = _part(SCOPE, {**_ATTRIBUTES, **_TEXTS, "version": _text})
_EVENT_FIXES = {**_ATTRIBUTES, **_TEXTS, "timeUnixNano": _time}
_SPAN_FIXES: dict[str, Fix] = {
    **_ATTRIBUTES,
    **_TEXTS,
    "startTimeUnixNano": _time,
    "endTimeUnixNano": _time,
    "status": _part(STATUS, {"message": _text}),
    "events": _each(of(EVENT), _part(EVENT, _EVENT_FIXES)),
    "links": _each(of(LINK), _link),
}
