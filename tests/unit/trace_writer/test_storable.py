"""Whatever a trace holds, MLflow gets what it can store and read, and the trace says what was changed."""

import json
from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offpath.contracts.trace_event import TraceEvent
from tests.support.builders.odd_traces import ANY_VALUES, ODD_TEXTS, nested_maps, odd_traces, with_root
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import claims
from trace_writer.decode import Decoded

LARGEST = 2**63 - 1


def stored(result: Decoded) -> Any:
    """The root span as MLflow gets it."""
    return ExportTraceServiceRequest.FromString(result.payload).resource_spans[0].scope_spans[0].spans[-1]


def root_with(**fields: Any) -> tuple[Any, list[str]]:
    """The root span as MLflow gets it, of a trace whose root has these fields, and the fields that were changed."""
    result = decoded("1", with_root(prediction_event(), **fields), claims())
    return stored(result), [change.field for change in result.changes]


def attribute_of(key: str, value: Any) -> tuple[Any, str]:
    """What MLflow gets for an attribute of the root, None if it was dropped, and what was said to have changed."""
    result = decoded("1", with_root(prediction_event(), attributes=[{"key": key, "value": value}]), claims())
    found = [attribute.value for attribute in stored(result).attributes if attribute.key == key]
    return (found or [None])[0], " ".join(change.what for change in result.changes)


def text_of(key: str, text: str) -> tuple[str, str]:
    """The same of a text that is not dropped."""
    value, said = attribute_of(key, {"stringValue": text})
    return value.string_value, said


def test_an_ordinary_trace_is_not_changed() -> None:
    result = decoded("1", prediction_event(), claims())

    assert not result.changes
    assert "offpath.changed" not in {attribute.key for attribute in stored(result).attributes}


def test_changed_span_lists_what_changed() -> None:
    attributes = [
        {"key": "session.id", "value": {"stringValue": "s" * 251}},
        {"key": "mlflow.llm.cost", "value": {"stringValue": "5"}},
        {"key": "good", "value": {"stringValue": "kept"}},
    ]
    result = decoded("1", with_root(prediction_event(), attributes=attributes, name="n" * 200), claims())

    session, good, changed = stored(result).attributes
    assert (session.key, good.key, changed.key) == ("session.id", "good", "offpath.changed")
    assert [value.string_value for value in changed.value.array_value.values] == [
        "attributes.session.id: changed to a text that MLflow takes there",
        "attributes.mlflow.llm.cost: dropped: it is no object with numbers under input_cost, output_cost, total_cost",
    ]
    assert stored(result).dropped_attributes_count == 1
    assert [(change.span, change.value) for change in result.changes] == [
        ("n" * 80 + "…", "s" * 80 + "…"),
        ("n" * 80 + "…", "5"),
    ]


def test_a_list_of_many_changes_is_short() -> None:
    attributes = [{"key": f"a{index}", "value": 5} for index in range(100)]
    result = decoded("1", with_root(prediction_event(), attributes=attributes), claims())

    [changed] = stored(result).attributes
    texts = [value.string_value for value in changed.value.array_value.values]
    assert (len(result.changes), len(texts), texts[-1]) == (100, 21, "and 80 more")


@pytest.mark.parametrize("depth", [25, 100, 5_000])
def test_deep_json_in_a_text_becomes_a_json_string(depth: int) -> None:
    for text in ("[" * depth + "]" * depth, '{"a": ' * depth + "1" + "}" * depth, "[" * depth):
        written, said = text_of("mlflow.spanInputs", text)
        assert (json.loads(written), said) == (text, "changed to a JSON string, because MLflow cannot parse it")


def test_flat_json_is_left_as_it_is() -> None:
    records = json.dumps([{"a": [1, 2], "b": 'a "[[[" in a text \\', "c": {"d": 0.12345678901234567890}}] * 100)
    for text in (
        records,
        "[" * 24 + "]" * 24,
        "9" * 4300,
        "text " + "9" * 4000,
        "[[ no JSON 99999999999999999999",
        "[",
        "{",
    ):
        assert text_of("mlflow.spanInputs", text) == (text, "")


def test_integers_beyond_64_bits_become_texts() -> None:
    text = f'{{"a": [{2**63}, {2**63 - 1}, -{2**63 + 1}, 1.5e300], "b": "{2**70}", "c": {"7" * 5000}}}'

    written, said = text_of("mlflow.spanInputs", text)

    assert json.loads(written) == {
        "a": [str(2**63), LARGEST, str(-(2**63) - 1), 1.5e300],
        "b": str(2**70),
        "c": "7" * 5000,
    }
    assert said == "changed: integers beyond 64 bits became texts"
    assert text_of("order", "7" * 5000)[0] == json.dumps("7" * 5000)


@pytest.mark.parametrize(
    ("key", "longest"),
    [("session.id", 250), ("user.id", 8000), ("mlflow.spanType", 500), ("mlflow.traceTag.mlflow.traceName", 4096)],
)
def test_text_that_is_too_long_is_cut_and_stays_distinct(key: str, longest: int) -> None:
    assert text_of(key, "x" * longest) == ("x" * longest, "")
    one, other = text_of(key, "x" * longest + "1")[0], text_of(key, "x" * longest + "2")[0]
    assert len(one) == len(other) == longest
    assert one != other


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("mlflow.spanType", {"intValue": "5"}, "5"),
        ("mlflow.spanType", {"arrayValue": {}}, None),
        ("session.id", {"boolValue": True}, "true"),
        ("session.id", {"kvlistValue": {}}, None),
        ("span.type", {"arrayValue": {"values": [{"stringValue": "a"}]}}, json.dumps('["a"]')),
        ("openinference.span.kind", {"stringValue": "[1]"}, '"[1]"'),
        ("ai.operationId", {"stringValue": "[1]"}, None),
        ("ai.prompt.messages", {"stringValue": json.dumps("[" * 5000)}, None),
        ("ai.prompt.tools", {"arrayValue": {"values": [{"stringValue": "[" * 5000}]}}, None),
        ("mlflow.chat.tokenUsage", {"stringValue": '{"input_tokens": "5"}'}, None),
        ("mlflow.chat.tokenUsage", {"stringValue": '{"input_tokens": null}'}, None),
        ("mlflow.chat.tokenUsage", {"stringValue": f'{{"input_tokens": {10**30}}}'}, None),
        (
            "mlflow.chat.tokenUsage",
            {"stringValue": '{"input_tokens": 5, "cost": "?"}'},
            '{"input_tokens": 5, "cost": "?"}',
        ),
        ("mlflow.llm.cost", {"stringValue": "[1]"}, None),
        ("mlflow.llm.cost", {"intValue": 5}, None),
        ("mlflow.llm.cost", {"stringValue": '{"total_cost": 0.5}'}, '{"total_cost": 0.5}'),
        ("gen_ai.usage.input_tokens", {"stringValue": "9" * 20}, None),
        ("gen_ai.usage.input_tokens", {"intValue": str(LARGEST)}, None),
        ("gen_ai.usage.input_tokens", {"doubleValue": "Infinity"}, None),
        ("gen_ai.usage.input_tokens", {"stringValue": "17"}, "17"),
        ("mlflow.traceTag.mlflow.trace.spansLocation", {"stringValue": "elsewhere"}, None),
        ("mlflow.traceTag.mlflow.artifactLocation", {"stringValue": "elsewhere"}, None),
        ("mlflow.traceTag.../a", {"stringValue": "a"}, None),
        ("mlflow.traceTag." + "k" * 251, {"stringValue": "a"}, None),
        ("mlflow.traceTag.a/b c:d", {"stringValue": "a"}, "a"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_attributes_that_mlflow_computes_with_fit(key: str, value: dict[str, Any], expected: str | None) -> None:
    found, said = attribute_of(key, value)

    assert (None if found is None else found.string_value) == expected
    assert (expected is None) == ("dropped" in said)


def test_values_nested_too_deeply_become_text_there() -> None:
    for value in (nested_maps(60), nested_maps(150)):
        found, said = attribute_of("a", value)
        for _ in range(24):
            found = found.kvlist_value.values[0].value
        assert json.loads(found.string_value)
        assert "nested too deeply" in said


def test_values_of_events_links_and_resource_are_jsons() -> None:
    odd = [{"key": "nan", "value": {"doubleValue": "NaN"}}, {"key": "bytes", "value": {"bytesValue": "/w=="}}]
    event = with_root(
        prediction_event(),
        events=[{"name": "e", "attributes": odd}],
        links=[{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": odd}],
    )
    document = json.loads(event.body)
    document["resourceSpans"][0]["resource"]["attributes"] = odd

    result = decoded("1", TraceEvent(event.trace_id, event.experiment, json.dumps(document)), claims())

    resource = ExportTraceServiceRequest.FromString(result.payload).resource_spans[0].resource
    for part in (resource, stored(result).events[0], stored(result).links[0]):
        assert [attribute.value.string_value for attribute in part.attributes] == ["NaN", "/w=="]


def test_long_number_in_a_chat_message_stays_a_text() -> None:
    attributes = [{"key": "content", "value": {"stringValue": "9" * 20}}]
    root, _ = root_with(events=[{"name": name, "attributes": attributes} for name in ("gen_ai.user.message", "order")])

    assert [event.attributes[0].value.string_value for event in root.events] == [f'"{"9" * 20}"', "9" * 20]


def test_times_later_than_mlflow_knows_become_its_latest() -> None:
    root, changed = root_with(startTimeUnixNano=str(2**63), endTimeUnixNano=str(2**64 - 1))

    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (LARGEST, LARGEST)
    assert changed == ["startTimeUnixNano", "endTimeUnixNano"]


def test_tags_beyond_a_number_are_dropped() -> None:
    tags = [{"key": f"mlflow.traceTag.k{index}", "value": {"stringValue": "v"}} for index in range(501)]
    others = [{"key": f"k{index}", "value": {"stringValue": "v"}} for index in range(2_000)]

    root, changed = root_with(attributes=[*others, *tags])

    assert (len(root.attributes), root.dropped_attributes_count, changed) == (2_501, 1, ["attributes"])


def test_the_last_of_spans_with_one_id_is_kept() -> None:
    event = prediction_event()
    document = json.loads(event.body)
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    document["resourceSpans"].append({"scopeSpans": [{"spans": [{**spans[0], "name": "again"}]}]})

    result = decoded("1", TraceEvent(event.trace_id, event.experiment, json.dumps(document)), claims())

    request = ExportTraceServiceRequest.FromString(result.payload)
    names = [span.name for part in request.resource_spans for span in part.scope_spans[0].spans]
    assert names == ["model", "POST /predict", "again"]
    assert [(change.field, change.value) for change in result.changes] == [("spanId", "validate")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("offpath/iris", "offpath/iris"),
        ("", "offpath"),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        ("e" * 256, "e" * 256),
        ("e" * 257, "e" * 247 + "-" + "9a9c6a76"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_an_experiments_name_fits_each_database(name: str, expected: str) -> None:
    event = prediction_event()

    result = decoded("1", TraceEvent(event.trace_id, name, event.body), claims())

    assert result.experiment == expected
    assert [change.field for change in result.changes] == ([] if name == expected else ["experiment"])


def depth_of(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 0
    return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)


def integers(value: Any) -> list[int]:
    if isinstance(value, list | dict):
        return [one for item in (value.values() if isinstance(value, dict) else value) for one in integers(item)]
    return [value] if type(value) is int else []


@given(text=ODD_TEXTS)
def test_every_text_is_one_that_mlflow_can_parse(text: str) -> None:
    written, said = text_of("mlflow.spanInputs", text)

    try:
        value = json.loads(written)
    except json.JSONDecodeError:
        assert not said
        return
    assert depth_of(value) <= 24
    assert not isinstance(value, list | dict) or all(-(2**63) <= number < 2**63 for number in integers(value))
    assert said or written == text or "\ufffd" in written or "\\ufffd" in written


@given(event=odd_traces())
def test_every_trace_becomes_a_request_with_its_spans(event: TraceEvent) -> None:
    result = decoded("1", event, claims())

    request = ExportTraceServiceRequest.FromString(result.payload)
    spans = [span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans]
    assert {span.trace_id.hex() for span in spans} == {event.trace_id}
    assert len({span.span_id for span in spans}) == len(spans) >= 1
    assert max(max(span.start_time_unix_nano, span.end_time_unix_nano) for span in spans) <= LARGEST
    assert result.line.decode().count("\n") == 0


@given(value=ANY_VALUES)
def test_every_value_is_stored_or_dropped_with_a_word(value: Any) -> None:
    found, said = attribute_of("a", value)

    assert found is not None or "dropped" in said
