"""An answer of MLflow's address counts as stored only if it is the receipt that OTLP defines."""

from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from offpath.contracts.errors import Rejected
from offpath.mlflow.http import MlflowHttp
from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import STEADY, claims
from tests.support.servers.mlflow_stub import RECEIPT, Reply, StubMlflow, error, stub_mlflow
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures
from trace_writer.tracker import TrackerUnavailable

PROTOBUF = RECEIPT.headers


@pytest.fixture
def stub() -> Iterator[StubMlflow]:
    with stub_mlflow() as server:
        yield server


def deliver(stub: StubMlflow, reply: Reply, clock: ManualClock) -> Failures:
    """Deliver four events to an MLflow that answers so to spans."""
    stub.answer = lambda request: reply if request.trace_ids else None
    tracker = MlflowTracker(MlflowHttp(stub.url), clock.now, 30.0)
    events = [decoded(str(number), prediction_event(), claims()) for number in range(4)]
    return Delivery(tracker, clock, 8_000_000, STEADY).deliver(events, clock.now() + 60)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, "<html>welcome</html>", {"Content-Type": "text/html"}),
        Reply(200, "{}", {"Content-Type": "application/json"}),
        Reply(200, ""),
        Reply(200, "<html>welcome</html>", PROTOBUF),
        Reply(200, "\n\x7f\x08", PROTOBUF),
        Reply(204, "", PROTOBUF),
        Reply(202, "", PROTOBUF),
    ],
    ids=["page", "json", "nothing", "page-as-protobuf", "half-a-message", "no-content", "accepted"],
)
def test_an_answer_that_is_no_receipt_keeps_every_message(stub: StubMlflow, reply: Reply) -> None:
    failures = deliver(stub, reply, ManualClock())

    assert {type(failure) for failure in failures.values()} == {TrackerUnavailable}
    assert len(failures) == 4
    assert "is no receipt for spans" in str(failures["0"])


@pytest.mark.parametrize("media_type", ["application/x-protobuf", "Application/X-Protobuf; charset=utf-8"])
def test_a_receipt_counts_whatever_its_parameters(stub: StubMlflow, media_type: str) -> None:
    assert deliver(stub, Reply(200, "", {"Content-Type": media_type}), ManualClock()) == {}


def test_a_warning_without_rejected_spans_is_a_receipt(stub: StubMlflow) -> None:
    warned = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(error_message="slow"))
    assert deliver(stub, Reply(200, warned.SerializeToString().decode(), PROTOBUF), ManualClock()) == {}


def test_rejected_spans_are_no_receipt(stub: StubMlflow) -> None:
    clock = ManualClock()
    tracker = MlflowTracker(MlflowHttp(stub.url), clock.now, 30.0)
    refused = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="no such unit")
    )
    stub.answer = lambda request: (
        Reply(200, refused.SerializeToString().decode(), PROTOBUF) if request.trace_ids else None
    )

    with pytest.raises(Rejected, match=r"rejected 2 span\(s\): no such unit"):
        tracker.log("offpath/iris", decoded("1", prediction_event(), claims()).payload, 30)


def test_a_server_without_spans_is_told_at_once(stub: StubMlflow) -> None:
    clock = ManualClock()

    failures = deliver(stub, error(501), clock)

    assert len(failures) == 4
    assert "this server takes no spans" in str(failures["0"])
    assert clock.pauses == []
    assert len([request for request in stub.requests if request.trace_ids]) == 1
