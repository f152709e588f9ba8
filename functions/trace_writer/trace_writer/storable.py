"""Brings a trace within the limits of MLflow and its databases. What cannot be changed to fit is dropped alone."""

import math
import re
from collections.abc import Callable

from offpath.attributes import TRACE_TAG_PREFIX
from trace_writer.changes import Changes, Place
from trace_writer.json_converters import Fields
from trace_writer.json_text import without_surrogates
from trace_writer.mlflow_attributes import Unfit, rule_of
from trace_writer.mlflow_limits import MAX_EXPERIMENT, MAX_NESTING, MAX_TAGS, MAX_TIME
from trace_writer.mlflow_text import SHORTEST_UNFIT, cut, fitting_text, quoted, text_fits
from trace_writer.otlp_request import all_spans
from trace_writer.plain_values import as_json, base64_text, number_name

Fit = Callable[[str, Fields, list[str]], Fields]

_NO_EXPERIMENT = "offpath"
_MAX_COUNT = 2**32 - 1
_NOTHING: Fields = {}
_MESSAGES = "gen_ai."
_LARGE_INTEGER = re.compile(r"\s*-?[0-9]{19,}\s*")
_LONG = " " * SHORTEST_UNFIT


def _place_of(span: Fields, changes: Changes) -> Place:
    return changes.of_span(span["span_id"].hex(), span.get("name", ""))


def fit_request(request: Fields, changes: Changes) -> None:
    """Change the fields of an OTLP request so that MLflow stores each of its spans, and can read it."""
    for resource_spans in request["resource_spans"]:
        resource = resource_spans.get("resource", {})
        if not all(map(_is_short_text, resource.get("attributes", ()))):
            _fit_attributes(resource, changes.of_request().at(".resource"), _fit_plain_value)
    spans = all_spans(request)
    if len({span["span_id"] for span in spans}) < len(spans):
        spans = _without_doubles(request, spans, changes)
    for span in spans:
        _fit_span(span, changes)


def fit_experiment(name: str, changes: Changes) -> str:
    """Return a name of an experiment that MLflow takes over each database."""
    fitting = cut(without_surrogates(name.replace("\0", "\N{REPLACEMENT CHARACTER}")), MAX_EXPERIMENT) or _NO_EXPERIMENT
    if fitting != name:
        changes.of_request().at("experiment").note(f"changed to {fitting!r}", name)
    return fitting


def _without_doubles(request: Fields, spans: list[Fields], changes: Changes) -> list[Fields]:
    """Drop each span whose id comes again: PostgreSQL refuses an upsert that meets its own row."""
    last = {span["span_id"]: span for span in spans}
    for resource_spans in request["resource_spans"]:
        for scope_spans in resource_spans.get("scope_spans", ()):
            kept = [span for span in scope_spans.get("spans", ()) if span is last[span["span_id"]]]
            scope_spans["spans"] = kept
    for span in spans:
        if span is not last[span["span_id"]]:
            _place_of(span, changes).at(".spanId").note("an earlier span of this id was dropped", span.get("name", ""))
    return list(last.values())


def _fit_span(span: Fields, changes: Changes) -> None:
    if span.get("start_time_unix_nano", 0) > MAX_TIME or span.get("end_time_unix_nano", 0) > MAX_TIME:
        _fit_times(span, _place_of(span, changes))
    attributes = span.get("attributes", ())
    if len(attributes) > MAX_TAGS or not all(map(_surely_fits, attributes)):
        _fit_attributes(span, _place_of(span, changes), _fit_value)
        _drop_tags(span, _place_of(span, changes))
    for name in ("events", "links"):
        for index, part in enumerate(span.get(name, ())):
            if not all(map(_is_short_text, part.get("attributes", ()))):
                fit = _fit_message_value if part.get("name", "").startswith(_MESSAGES) else _fit_plain_value
                _fit_attributes(part, _place_of(span, changes).at(f".{name}[{index}]"), fit)


def _is_short_text(attribute: Fields) -> bool:
    return len(attribute.get("value", _NOTHING).get("string_value", _LONG)) < SHORTEST_UNFIT


def _surely_fits(attribute: Fields) -> bool:
    """Tell, fast, of nearly every attribute of a span that nothing has to change."""
    value = attribute.get("value", _NOTHING)
    if "string_value" in value:
        if len(value["string_value"]) >= SHORTEST_UNFIT and not text_fits(value["string_value"]):
            return False
    elif "array_value" in value or "kvlist_value" in value:
        return False
    rule = rule_of(attribute.get("key", ""))
    try:
        return rule is None or rule(value) is value
    except Unfit:
        return False


def _fit_times(span: Fields, place: Place) -> None:
    for name, shown in (("start_time_unix_nano", ".startTimeUnixNano"), ("end_time_unix_nano", ".endTimeUnixNano")):
        if (time := span.get(name, 0)) > MAX_TIME:
            span[name] = MAX_TIME
            place.at(shown).note(f"changed to {MAX_TIME}, the latest time that MLflow takes", time)


def _drop_tags(span: Fields, place: Place) -> None:
    attributes = span["attributes"]
    tags = [attribute for attribute in attributes if attribute.get("key", "").startswith(TRACE_TAG_PREFIX)]
    if dropped := {id(tag) for tag in tags[MAX_TAGS:]}:
        span["attributes"] = [attribute for attribute in attributes if id(attribute) not in dropped]
        place.at(".attributes").note(f"{len(dropped)} tags beyond {MAX_TAGS} were dropped", tags[MAX_TAGS]["key"])
        _count(span, len(dropped))


def _fit_attributes(holder: Fields, place: Place, fit: Fit) -> None:
    attributes: list[Fields] = holder["attributes"]
    changes: list[str] = []
    dropped: set[int] = set()
    for index, attribute in enumerate(attributes):
        key, value = attribute.get("key", ""), attribute.get("value", _NOTHING)
        try:
            fitting = fit(key, value, changes)
        except Unfit as error:
            dropped.add(index)
            changes.append(f"dropped: it {error}")
        else:
            if fitting is not value:
                attribute["value"] = fitting
        if changes:
            _note(changes, place.at(f".attributes.{key}"), value)
    if dropped:
        holder["attributes"] = [attribute for index, attribute in enumerate(attributes) if index not in dropped]
        _count(holder, len(dropped))


def _note(changes: list[str], place: Place, value: Fields) -> None:
    shown = value["string_value"] if "string_value" in value else as_json(value)
    for change in changes:
        place.note(change, shown)
    changes.clear()


def _count(holder: Fields, dropped: int) -> None:
    holder["dropped_attributes_count"] = min(holder.get("dropped_attributes_count", 0) + dropped, _MAX_COUNT)


def _fit_value(key: str, value: Fields, changes: list[str]) -> Fields:
    """Return the value of a span's attribute as MLflow takes it. Raises Unfit."""
    if "string_value" in value:
        value = _fit_text(value, changes)
    elif "array_value" in value or "kvlist_value" in value:
        value = _fit_nested(value, changes, plain=False)
    rule = rule_of(key)
    if rule is None:
        return value
    fitting = rule(value)
    if fitting is not value:
        changes.append("changed to a text that MLflow takes there")
    return fitting


def _fit_plain_value(_key: str, value: Fields, changes: list[str]) -> Fields:
    """Return the value of another attribute, which MLflow keeps as it is, not as JSON in a text."""
    if "string_value" in value:
        return _fit_text(value, changes)
    return _fit_nested(value, changes, plain=True)


def _fit_message_value(key: str, value: Fields, changes: list[str]) -> Fields:
    """Return the value of an attribute of an event that MLflow makes a chat message of: it parses numbers there."""
    fitting = _fit_plain_value(key, value, changes)
    if _LARGE_INTEGER.fullmatch(fitting.get("string_value", "")):
        changes.append("changed to a JSON string: it has the form of an integer beyond 64 bits")
        return {"string_value": quoted(fitting["string_value"])}
    return fitting


def _fit_text(value: Fields, changes: list[str]) -> Fields:
    text = value["string_value"]
    fitting = fitting_text(text)
    if fitting == text:
        return value
    if fitting == quoted(text):
        changes.append("changed to a JSON string, because MLflow cannot parse it")
    else:
        changes.append("changed: integers beyond 64 bits became texts")
    return {"string_value": fitting}


def _fit_nested(value: Fields, changes: list[str], *, plain: bool, depth: int = 0) -> Fields:
    """Return a value without lists and maps below MAX_NESTING, and if it is to be plain, of JSON's types alone."""
    for kind, content in value.items():
        match kind:
            case "array_value" | "kvlist_value" if depth == MAX_NESTING:
                changes.append("changed: it is nested too deeply, and the innermost became a text")
                return {"string_value": as_json(value)}
            case "array_value":
                items = content.get("values", [])
                items[:] = [_fit_nested(item, changes, plain=plain, depth=depth + 1) for item in items]
            case "kvlist_value":
                for entry in content.get("values", ()):
                    inner = entry.get("value", _NOTHING)
                    entry["value"] = _fit_nested(inner, changes, plain=plain, depth=depth + 1)
            case "double_value" if plain and not math.isfinite(content):
                changes.append("changed to a text: it is not finite")
                return {"string_value": number_name(content)}
            case "bytes_value" if plain:
                changes.append("changed to base64")
                return {"string_value": base64_text(content)}
    return value
