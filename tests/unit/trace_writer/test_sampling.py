"""MLflow gets what is notable and a share of the rest; the archive keeps all of it, and each end is on record."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.attributes import SPAN_OUTPUTS, trace_tag
from offpath.contracts.receipt import IN_MLFLOW, SAMPLED_OUT
from offpath.contracts.replayed import as_replayed
from offpath.contracts.trace_event import TraceEvent
from tests.support.builders.trace_events import batch_of, decoded, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench, claims, down
from trace_writer.decode import Received
from trace_writer.sampling import Sampling
from trace_writer.writer import Rules, TraceWriter

NONE = Sampling(share=0.0)


def keeps(rules: Sampling, event: TraceEvent) -> bool:
    return rules.keeps(decoded("1", event, claims()))


def answering(*rows: dict[str, float], **more: Any) -> TraceEvent:
    """Return the event of a prediction with these probabilities for each record."""
    outputs = json.dumps({"predictions": [{"label": "a", "probabilities": row} for row in rows]})
    return prediction_event(attributes={SPAN_OUTPUTS: outputs, **more})


def lasting(event: TraceEvent, milliseconds: int) -> TraceEvent:
    """Return the event with an outermost span that took so long."""
    request = json.loads(event.body)
    root = request["resourceSpans"][0]["scopeSpans"][0]["spans"][-1]
    root["endTimeUnixNano"] = str(int(root["startTimeUnixNano"]) + milliseconds * 1_000_000)
    return TraceEvent(event.trace_id, event.experiment, json.dumps(request))


def test_everything_is_kept_by_default() -> None:
    assert keeps(Sampling(), prediction_event())


@pytest.mark.parametrize(
    "event",
    [prediction_event(failed=True), prediction_event(attributes={trace_tag("outcome"): "failed"})],
    ids=["status", "outcome"],
)
def test_failed_traces_are_kept(event: TraceEvent) -> None:
    assert keeps(NONE, event)


def test_refused_traces_are_as_answered_ones() -> None:
    assert not keeps(NONE, prediction_event(attributes={trace_tag("outcome"): "refused"}))


@pytest.mark.parametrize(("milliseconds", "kept"), [(499, False), (500, False), (501, True)])
def test_slow_traces_are_kept(milliseconds: int, kept: bool) -> None:
    event = lasting(prediction_event(), milliseconds)
    assert keeps(Sampling(0.0, slow_milliseconds=500), event) == kept
    assert not keeps(NONE, event)


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([{"a": 0.59, "b": 0.41}], True),
        ([{"a": 0.6, "b": 0.4}], False),
        ([{"a": 0.9, "b": 0.1}, {"a": 0.45, "b": 0.55}], True),
        ([], False),
        ([{}], False),
    ],
)
def test_uncertain_predictions_are_kept(rows: list[dict[str, float]], kept: bool) -> None:
    assert keeps(Sampling(0.0, uncertain_below=0.6), answering(*rows)) == kept


@pytest.mark.parametrize(
    "outputs",
    ["", "no JSON", "[]", "7", '{"predictions": 7}', '{"predictions": [7, {"probabilities": 7}]}', "[" * 9_999],
    ids=["empty", "text", "list", "number", "no predictions", "no probabilities", "deep"],
)
def test_outputs_of_another_form_say_nothing(outputs: str) -> None:
    event = prediction_event(attributes={SPAN_OUTPUTS: outputs})
    assert not keeps(Sampling(0.0, uncertain_below=1.0), event)


@given(lower=st.floats(0, 1), higher=st.floats(0, 1))
def test_a_larger_share_keeps_what_a_smaller_one_does(lower: float, higher: float) -> None:
    lower, higher = sorted((lower, higher))
    event = prediction_event()
    assert keeps(Sampling(higher), event) or not keeps(Sampling(lower), event)


def test_parts_of_a_trace_are_kept_or_left_together() -> None:
    event = prediction_event()
    later = lasting(event, 5)
    assert all(keeps(Sampling(share / 20), event) == keeps(Sampling(share / 20), later) for share in range(20))


def test_half_of_many_traces_are_half() -> None:
    kept = sum(keeps(Sampling(0.5), prediction_event()) for _ in range(1_000))
    assert 400 < kept < 600  # less likely than 1 in 10**9 otherwise


def writer(bench: Bench, rules: Sampling) -> TraceWriter:
    return TraceWriter(bench.claims, bench.archive, bench.delivery, rules=Rules(sampling=rules))


def test_what_is_sampled_out_is_archived_and_on_record() -> None:
    bench, plain, failed = Bench(), prediction_event(), prediction_event(failed=True)
    batch = batch_of({"1": inline_message(plain), "2": inline_message(failed)})

    written = writer(bench, NONE).write(batch, bench.deadline)

    assert (written.sampled_out, written.failures) == (1, [])
    assert bench.archive.lines == [plain.body, failed.body]
    assert bench.tracker.stored == {failed.trace_id}
    ends = {receipt.event.trace_id: receipt.end for receipt in bench.archive.receipts}
    assert ends == {plain.trace_id: SAMPLED_OUT, failed.trace_id: IN_MLFLOW}


def test_an_outage_holds_up_nothing_that_is_sampled_out() -> None:
    bench = Bench(down)
    batch = batch_of({"1": inline_message(prediction_event()), "2": inline_message(prediction_event(failed=True))})
    written = writer(bench, NONE).write(batch, bench.deadline)
    assert [failure.message_id for failure in written.failures] == ["2"]
    assert written.sampled_out == 1


@pytest.mark.parametrize("trouble", ["archive", "receipts"])
def test_without_s3_what_is_sampled_out_stays_on_the_queue(trouble: str) -> None:
    bench = Bench()
    bench.archive.down, bench.archive.takes_no_receipts = trouble == "archive", True
    batch = batch_of({"1": inline_message(prediction_event())})
    written = writer(bench, NONE).write(batch, bench.deadline)
    assert ([failure.message_id for failure in written.failures], written.sampled_out) == (["1"], 0)


def test_what_somebody_sends_again_is_kept() -> None:
    bench, event = Bench(), prediction_event()
    writer(bench, NONE).write([Received("1", as_replayed(inline_message(event)))], bench.deadline)
    assert bench.tracker.stored == {event.trace_id}
