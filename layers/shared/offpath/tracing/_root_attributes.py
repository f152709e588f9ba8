"""Give a trace's root what MLflow reads from the root alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from offpath import attributes
from offpath.attributes import TRACE_NAME, TRACE_TAG_PREFIX
from offpath.tracing._light_span import AnySpan

# The instrumentations of web frameworks and of Lambda make the outermost span, and know no inputs.
_INSTRUMENTED_KINDS = frozenset({2, 5})  # SERVER, CONSUMER
_OF_A_REQUEST = (attributes.SPAN_INPUTS, attributes.SPAN_OUTPUTS, attributes.SPAN_TYPE)
# What is said of the trace's state: OTLP's code of it.
SAID_STATE = "offpath.state"
SAID_STATES = {"OK": 1, "ERROR": 2}
_INPUTS = frozenset({attributes.SPAN_INPUTS, attributes.SPAN_OUTPUTS})


def complete_root(root: dict[str, Any], spans: Sequence[dict[str, Any]], said: Mapping[str, str]) -> None:
    """Add to the root's attributes what it lacks: the trace's name, and what the spans below it say of the trace.

    Tags, session and user are taken from any span, inputs and outputs from the one below an instrumentation's. All are
    OTLP/JSON. The name is the root's, where no span gives one. said: attributes that come from elsewhere, and go before
    those of spans below the root; the state among them becomes the root's status, which MLflow takes the trace's from.
    """
    own = _attributes(root)
    said = dict(said)
    if state := SAID_STATES.get(said.pop(SAID_STATE, "")):
        root["status"] = {**root.get("status", {}), "code": state}
    below = sorted((span for span in spans if span is not root), key=lambda span: int(span["startTimeUnixNano"]))
    found = _of_the_trace(below) | {key: {"stringValue": value} for key, value in said.items()}
    if root.get("kind") in _INSTRUMENTED_KINDS and not own.keys() & _INPUTS:
        inner = next((known for span in below if _INPUTS & (known := _attributes(span)).keys()), {})
        found |= {key: inner[key] for key in _OF_A_REQUEST if key in inner}
    found.setdefault(TRACE_NAME, {"stringValue": root["name"]})
    root["attributes"] = [*root.get("attributes", ()), *_items(found, without=own)]


def telling(spans: Iterable[AnySpan]) -> list[AnySpan]:
    """Return those of the ended spans that a root takes something from, for a root that ends after they have left."""
    found: dict[str, AnySpan] = {}
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        given = span.attributes or {}
        for key in given:
            if isinstance(key, str) and _is_of_the_trace(key):
                found.setdefault(key, span)
        if _INPUTS & given.keys():
            found.setdefault(attributes.SPAN_INPUTS, span)
    return list({id(span): span for span in found.values()}.values())


def _is_of_the_trace(key: str) -> bool:
    return key.startswith(TRACE_TAG_PREFIX) or key in (attributes.SESSION, attributes.USER)


def _of_the_trace(spans: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the attributes that say something of the whole trace; the first of each key."""
    found: dict[str, Any] = {}
    for span in spans:
        for key, value in _attributes(span).items():
            if _is_of_the_trace(key):
                found.setdefault(key, value)
    return found


def _attributes(span: Mapping[str, Any]) -> dict[str, Any]:
    return {item["key"]: item["value"] for item in span.get("attributes", ())}


def _items(found: Mapping[str, Any], without: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in found.items() if key not in without]
