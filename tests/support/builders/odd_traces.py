"""Traces with values that no producer should send, and some do: drawn, and by name."""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from offpath.contracts.trace_event import TraceEvent
from tests.support.builders.trace_events import prediction_event


def with_root(event: TraceEvent, **fields: Any) -> TraceEvent:
    """Return the event with other fields in its root span, which is its last."""
    document = json.loads(event.body)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][-1].update(fields)
    return TraceEvent(event.trace_id, event.experiment, json.dumps(document))


def nested_maps(depth: int) -> dict[str, Any]:
    """Return a value of maps in maps."""
    value: dict[str, Any] = {"stringValue": "the innermost"}
    for _ in range(depth):
        value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    return value


def nested_lists(depth: int) -> dict[str, Any]:
    """Return a value of lists in lists."""
    value: dict[str, Any] = {"doubleValue": "NaN"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    return value


DEEP_TEXTS = st.builds(
    lambda depth, pair: pair[0] * depth + "1" + pair[1] * depth,
    st.sampled_from([1, 24, 25, 60, 900, 9_000]),
    st.sampled_from([("[", "]"), ('{"a":', "}"), ("[", ""), ('[{"a":', "}]")]),
)
LONG_TEXTS = st.builds(
    lambda character, length: character * length, st.sampled_from("x9"), st.sampled_from([300, 9_000])
)
TEXTS = (
    st.text(max_size=12)
    | st.sampled_from(["", "a\0b", "\ud800", "\udc00\ud83d", "\N{GRINNING FACE}", "\x01\x7f", "../a", "a.b"])
    | LONG_TEXTS
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "role", "content", "model", "input_tokens", "input_cost", "contents"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
JSON_TEXTS = st.builds(json.dumps, DOCUMENTS) | st.builds(lambda value: json.dumps(json.dumps(value)), DOCUMENTS)
NUMBERS = st.sampled_from([str(2**63), f"[{2**63}]", f'{{"a": -{10**40}}}', "1e999", "NaN"]) | st.builds(
    lambda digits: f"[{'9' * digits}]", st.sampled_from([19, 4_300, 4_301])
)
ODD_TEXTS = TEXTS | JSON_TEXTS | DEEP_TEXTS | NUMBERS | st.builds(json.dumps, DEEP_TEXTS)

_SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda text: {"stringValue": text}, ODD_TEXTS),
    st.builds(lambda number: {"intValue": str(number)}, st.integers(-(2**70), 2**70)),
    st.builds(lambda number: {"intValue": number}, st.integers(-(2**70), 2**70) | st.booleans()),
    st.builds(
        lambda number: {"doubleValue": number}, st.sampled_from(["NaN", "Infinity", "-Infinity", 1e308, "much", 5])
    ),
    st.builds(lambda content: {"bytesValue": base64.b64encode(content).decode()}, st.binary(max_size=4)),
    st.builds(lambda flag: {"boolValue": flag}, st.booleans() | st.just("yes")),
    st.sampled_from([{}, None, 5, {"stringValue": 5}, {"bytesValue": "*"}, {"intValue": 1, "boolValue": True}]),
    st.builds(nested_maps, st.integers(1, 200)),
    st.builds(nested_lists, st.integers(1, 200)),
)
ANY_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.builds(lambda values: {"arrayValue": {"values": values}}, st.lists(inner, max_size=3))
        | st.builds(
            lambda values: {"kvlistValue": {"values": [{"key": key, "value": value} for key, value in values]}},
            st.lists(st.tuples(TEXTS, inner), max_size=3),
        )
    ),
    max_leaves=4,
)
# What MLflow does something with, and the vendors' names that it knows.
KEYS = st.sampled_from(
    [
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "mlflow.spanType",
        "mlflow.llm.cost",
        "mlflow.llm.model",
        "mlflow.llm.provider",
        "mlflow.chat.tokenUsage",
        "mlflow.chat.tools",
        "mlflow.message.format",
        "mlflow.traceRequestId",
        "mlflow.spanLogLevel",
        "session.id",
        "user.id",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.request.model",
        "gen_ai.system",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt.0.content",
        "openinference.span.kind",
        "input.value",
        "output.value",
        "llm.model_name",
        "llm.token_count.prompt",
        "traceloop.span.kind",
        "traceloop.entity.input",
        "ai.operationId",
        "ai.prompt.messages",
        "ai.prompt.tools",
        "ai.response.text",
        "ai.usage.promptTokens",
        "langfuse.observation.type",
        "lmnr.span.type",
        "span.type",
        "entity.type",
        "usage.total_tokens",
        "service.name",
        "offpath.changed",
        "mlflow.traceTag.a",
        "mlflow.traceTag.mlflow.traceName",
        "mlflow.traceTag.",
        "mlflow.traceTag.mlflow.trace.spansLocation",
        "mlflow.traceTag.../a",
    ]
)
ATTRIBUTES = st.lists(
    st.builds(lambda key, value: {"key": key, "value": value}, KEYS | TEXTS | st.just(5), ANY_VALUES), max_size=6
)
TIMES = st.sampled_from(
    [0, 1, -5, 2**63 - 1, 2**63, 2**64, "soon", 1.5e18, "1764000000000000000", None, True]
) | st.integers(0, 2**64)
IDS = st.sampled_from(["", "ab" * 8, "12", 5, None, "0" * 16])
EVENT_NAMES = TEXTS | st.sampled_from(["gen_ai.user.message", "gen_ai.choice", "exception", 5])


@st.composite
def odd_traces(draw: st.DrawFn, experiment: str = "offpath/odd") -> TraceEvent:
    """Draw a trace whose frame is right, and in which anything else may be odd."""
    trace_id = uuid.UUID(int=draw(st.integers(1, 2**128 - 1))).hex
    parts = [draw(_parts()) for _ in range(draw(st.integers(1, 3)))]
    spans = [_span(trace_id, index, part) for index, part in enumerate(parts)]
    if draw(st.booleans()):
        spans.append({**spans[0], "name": "again"})
    resource = draw(st.sampled_from([None, 5]) | st.builds(lambda attributes: {"attributes": attributes}, ATTRIBUTES))
    scope = draw(st.sampled_from([None, 5, {"name": 5}]))
    scopes = [{"scope": scope, "spans": spans}]
    return TraceEvent(
        trace_id, experiment, json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]})
    )


@st.composite
def _parts(draw: st.DrawFn) -> dict[str, Any]:
    events = st.fixed_dictionaries({"name": EVENT_NAMES, "timeUnixNano": TIMES, "attributes": ATTRIBUTES})
    links = st.fixed_dictionaries(
        {"traceId": st.sampled_from(["ab" * 16, "12", ""]), "spanId": IDS, "attributes": ATTRIBUTES}
    )
    return draw(
        st.fixed_dictionaries(
            {"attributes": ATTRIBUTES},
            optional={
                "name": TEXTS | st.sampled_from([7, None, ["a"]]),
                "kind": st.sampled_from([99, -1, "SPAN_KIND_SERVER", "ODD", 2**40]),
                "startTimeUnixNano": TIMES,
                "endTimeUnixNano": TIMES,
                "status": st.sampled_from([5, {"code": 99}, {"code": 2, "message": "a\0b\ud800"}, {"message": 5}]),
                "events": st.lists(events | st.sampled_from([None, 5]), max_size=2),
                "links": st.lists(links | st.sampled_from([None, 5]), max_size=2),
                "traceState": TEXTS,
                "droppedAttributesCount": st.sampled_from([5, -1, 2**40]),
            },
        )
    )


def _span(trace_id: str, index: int, odd: Mapping[str, Any]) -> dict[str, Any]:
    now = time.time_ns()
    frame = {"traceId": trace_id, "spanId": f"{index + 1:016x}"}
    parent = {"parentSpanId": f"{1:016x}"} if index else {}
    return {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 10**6), **odd, **parent, **frame}


def _attribute(key: object, value: object) -> dict[str, Any]:
    return {"attributes": [{"key": key, "value": value}]}


def _text(key: str, text: str) -> dict[str, Any]:
    return _attribute(key, {"stringValue": text})


def _chat(content: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


NAMED: Mapping[str, Mapping[str, Any]] = {
    "integer beyond int64": _attribute("a", {"intValue": str(2**63)}),
    "integer beyond int64 in a list": _attribute("a", {"arrayValue": {"values": [{"intValue": 2**64}]}}),
    "integer beyond int64 in an event": {"events": [{"name": "e", **_attribute("a", {"intValue": str(-(2**70))})}]},
    "span named by a number": {"name": 7},
    "event named by a number": {"events": [{"name": 5}]},
    "key that is a number": _attribute(5, {"stringValue": "a"}),
    "key that is empty": _text("", "a"),
    "key of 70,000 characters": _text("k" * 70_000, "a"),
    "time with a fraction": {"startTimeUnixNano": time.time() * 1e9},
    "time below zero": {"startTimeUnixNano": -1},
    "time of 2**64": {"endTimeUnixNano": 2**64},
    "time of the year 2300": {"startTimeUnixNano": "10413792000000000000", "endTimeUnixNano": "10413792001000000000"},
    "time in words": {"startTimeUnixNano": "soon", "endTimeUnixNano": "later"},
    "end before the start": {"endTimeUnixNano": "1"},
    "half a surrogate pair": {"name": "\ud800", **_text("a\udc00", "\ud83d")},
    "NUL": {"name": "a\0b", **_text("user.id", "a\0b"), "status": {"code": 2, "message": "a\0b"}},
    "half a pair in JSON in a text": _text("mlflow.spanInputs", json.dumps(_chat("a\ud800"))),
    "NUL in JSON in a text": _text("mlflow.spanInputs", json.dumps(_chat("a\0b"))),
    "inputs nested 50 deep": _text("mlflow.spanInputs", "[" * 50 + "]" * 50),
    "inputs nested 10,000 deep": _text("mlflow.spanInputs", '{"a":' * 10_000 + "1" + "}" * 10_000),
    "inputs that are no JSON": _text("mlflow.spanInputs", '{"a": '),
    "inputs of a large integer": _text("mlflow.spanInputs", f'{{"id": {10**30}}}'),
    "outputs of 5,000 digits": _text("mlflow.spanOutputs", "7" * 5_000),
    "lists nested 200 deep": _attribute("a", nested_lists(200)),
    "maps nested 200 deep": _attribute("a", nested_maps(200)),
    "value without a kind": _attribute("mlflow.llm.cost", {}),
    "span type of 501 characters": _text("mlflow.spanType", "\u00fc" * 501),
    "span type that is a list": _attribute("mlflow.spanType", nested_lists(1)),
    "span kind that is a list": _attribute("openinference.span.kind", nested_lists(1)),
    "span kind that is JSON": _text("gen_ai.operation.name", '{"a": 1}'),
    "session of 300 characters": _text("session.id", "s" * 300),
    "conversation that is a map": _attribute("gen_ai.conversation.id", nested_maps(2)),
    "user of 9,000 characters": _text("user.id", "u" * 9_000),
    "trace name of 5,000 characters": _text("mlflow.traceTag.mlflow.traceName", "n" * 5_000),
    "tag of MLflow's own": _text("mlflow.traceTag.mlflow.trace.spansLocation", "elsewhere"),
    "tag of an odd name": _text("mlflow.traceTag.../*", "a"),
    "cost that is a number": _text("mlflow.llm.cost", "5"),
    "cost of another shape": _text("mlflow.llm.cost", '{"total_cost": "?"}'),
    "usage of another shape": _text("mlflow.chat.tokenUsage", '{"input_tokens": null}'),
    "usage beyond int64": {
        "attributes": [
            {"key": f"gen_ai.usage.{name}_tokens", "value": {"intValue": str(2**63 - 1)}}
            for name in ("input", "output")
        ]
    },
    "tokens that are infinite": {
        "attributes": [
            {"key": "span.type", "value": {"stringValue": "llm_request"}},
            {"key": "input_tokens", "value": {"doubleValue": "Infinity"}},
        ]
    },
    "event with NaN": {"events": [{"name": "e", **_attribute("a", {"doubleValue": "NaN"})}]},
    "link of odd ids": {"links": [{"traceId": "12", "spanId": 5}, None]},
    "kind and code out of range": {"kind": 99, "status": {"code": -5}},
    "2,000 attributes": {"attributes": [{"key": f"k{index}", "value": {"stringValue": "v"}} for index in range(2_000)]},
}


def named_traces() -> dict[str, TraceEvent]:
    """Return a trace of each kind that MLflow would refuse, fail on, or not read back, by what is odd in it."""
    traces = {name: with_root(prediction_event(), **fields) for name, fields in NAMED.items()}
    event = prediction_event()
    document = json.loads(event.body)
    document["resourceSpans"][0]["resource"] = _attribute("a", {"bytesValue": "/w=="})
    document["resourceSpans"].append(json.loads(event.body)["resourceSpans"][0])
    traces["every span twice, and bytes"] = TraceEvent(event.trace_id, event.experiment, json.dumps(document))
    return traces
