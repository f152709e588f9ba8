"""Traces with any odd value reach a real MLflow, over SQLite and over PostgreSQL, and can be read there."""

import uuid
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from tests.support.builders.odd_traces import named_traces, odd_traces
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction

# Each example is a batch, and one of a real server: a failure is shown as it was drawn.
IN_BATCHES = settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def messages(events: Mapping[str, TraceEvent], experiment: str) -> dict[str, Message]:
    """The messages of these events, all of one experiment."""
    return {name: inline_message(event, experiment=experiment) for name, event in events.items()}


def assert_readable(mlflow: Mlflow, events: Mapping[str, TraceEvent], experiment: str) -> None:
    """Every trace is found, shown and downloaded."""
    assert mlflow.trace_ids(experiment) == {event.trace_id for event in events.values()}
    for name, event in events.items():
        info, spans = mlflow.trace(event.trace_id), mlflow.spans(event.trace_id)
        assert info["state"] in {"OK", "ERROR"}, name
        assert spans, name
        content = mlflow.downloaded(event.trace_id)
        assert len(content["spans"]) == len(spans), name


def test_named_traces_are_stored_and_can_be_read(each_writer: WriterFunction, each_mlflow: Mlflow) -> None:
    events, experiment = named_traces(), f"offpath/{uuid.uuid4().hex}"

    assert each_writer.invoke(messages(events, experiment)) == set()

    assert_readable(each_mlflow, events, experiment)


@IN_BATCHES
@given(drawn=st.lists(odd_traces(), min_size=8, max_size=16))
def test_drawn_traces_are_stored_and_can_be_read(
    each_writer: WriterFunction, each_mlflow: Mlflow, drawn: list[TraceEvent]
) -> None:
    events, experiment = {str(index): afresh(event) for index, event in enumerate(drawn)}, f"offpath/{uuid.uuid4().hex}"

    assert each_writer.invoke(messages(events, experiment)) == set()

    assert_readable(each_mlflow, events, experiment)


def afresh(event: TraceEvent) -> TraceEvent:
    """The same trace under an id that no other has."""
    trace_id = uuid.uuid4().hex
    return TraceEvent(trace_id, event.experiment, event.body.replace(event.trace_id, trace_id))


@pytest.mark.parametrize(
    "name",
    ["", "e{}" + "e" * 600, "f{}" + "\u00fc" * 300, "a\0b{}", "half{}\ud800", "../{}/./%2F", " {} '\"\n"],
    ids=lambda name: ascii(name)[:20],
)
def test_traces_of_an_oddly_named_experiment_are_stored(
    each_writer: WriterFunction, each_mlflow: Mlflow, name: str
) -> None:
    event, experiment = prediction_event(), name.format(uuid.uuid4().hex)

    assert each_writer.invoke(messages({"1": event}, experiment)) == set()

    assert each_mlflow.trace(event.trace_id)["state"] == "OK"


def test_changed_values_are_shown_in_the_trace(each_writer: WriterFunction, each_mlflow: Mlflow) -> None:
    events = {"session": named_traces()["session of 300 characters"]}

    assert each_writer.invoke(messages(events, f"offpath/{uuid.uuid4().hex}")) == set()

    [root] = [
        span for span in each_mlflow.downloaded(events["session"].trace_id)["spans"] if span["name"] == "POST /predict"
    ]
    assert "attributes.session.id" in str(root["attributes"]["offpath.changed"])
