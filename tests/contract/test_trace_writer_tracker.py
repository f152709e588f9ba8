"""The fake tracker and MLflow take and refuse the same requests."""

import time
import uuid
from collections.abc import Callable

import pytest

from offpath.contracts.errors import Rejected
from offpath.contracts.trace_event import TraceEvent
from offpath.mlflow.http import MlflowHttp
from offpath.retry import SYSTEM_CLOCK
from tests.support.builders.trace_events import decoded, prediction_event, refused
from tests.support.fakes.trace_writer import FakeTracker, claims
from tests.support.servers.mlflow_rest import Mlflow
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.delivery import Delivery
from trace_writer.tracker import ExperimentRefused, Tracker

Trackers = tuple[Tracker, Callable[[str], set[str]]]


def fake(_: pytest.FixtureRequest) -> Trackers:
    """Return a tracker, and what gives the ids of the traces in an experiment."""
    tracker = FakeTracker()
    return tracker, lambda experiment: tracker.traces.get(experiment, set())


def real(request: pytest.FixtureRequest) -> Trackers:
    """Return the same of a real MLflow server."""
    url = request.getfixturevalue("mlflow_url")
    return MlflowTracker(MlflowHttp(url), time.monotonic, 30), Mlflow(url).trace_ids


@pytest.fixture(params=[fake, real], ids=["fake", "mlflow"])
def trackers(request: pytest.FixtureRequest) -> Trackers:
    parts: Trackers = request.param(request)
    return parts


@pytest.fixture
def experiment() -> str:
    return f"offpath/{uuid.uuid4().hex}"


def payload(*events: TraceEvent) -> bytes:
    return b"".join(decoded("1", event, claims()).payload for event in events)


def test_requests_joined_end_to_end_are_one_request(trackers: Trackers, experiment: str) -> None:
    tracker, trace_ids = trackers
    first, second = prediction_event(), prediction_event()

    tracker.log(experiment, payload(first, second), 30)

    assert trace_ids(experiment) == {first.trace_id, second.trace_id}


def test_the_same_trace_again_changes_nothing(trackers: Trackers, experiment: str) -> None:
    tracker, trace_ids = trackers
    event = prediction_event()

    tracker.log(experiment, payload(event), 30)
    tracker.log(experiment, payload(event), 30)

    assert trace_ids(experiment) == {event.trace_id}


def test_one_refused_trace_and_nothing_is_stored(trackers: Trackers, experiment: str) -> None:
    tracker, trace_ids = trackers

    bad = refused(decoded("1", prediction_event(), claims()))

    with pytest.raises(Rejected, match="HTTP 400"):
        tracker.log(experiment, payload(prediction_event()) + bad.payload, 30)

    assert trace_ids(experiment) == set()


def test_refused_traces_stop_no_other_of_their_batch(trackers: Trackers, experiment: str) -> None:
    tracker, trace_ids = trackers
    events = [decoded(str(index), prediction_event(experiment), claims()) for index in range(8)]
    events = [refused(event) if index in {2, 5, 6} else event for index, event in enumerate(events)]

    failures = Delivery(tracker, SYSTEM_CLOCK, 8_000_000).deliver(events, SYSTEM_CLOCK.now() + 60)

    assert {message_id: type(error) for message_id, error in failures.items()} == dict.fromkeys("256", Rejected)
    assert trace_ids(experiment) == {events[index].source.trace_id for index in (0, 1, 3, 4, 7)}


def test_a_name_that_no_experiment_can_have_is_refused(trackers: Trackers) -> None:
    with pytest.raises(ExperimentRefused):
        trackers[0].log("x" * 501, payload(prediction_event()), 30)
