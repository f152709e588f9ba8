"""An MLflow that answers errors, or nothing at all."""

import base64
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from offpath.contracts.errors import Poison, Rejected
from offpath.mlflow import http
from offpath.mlflow.credentials import Credentials, StaticCredentials
from offpath.mlflow.http import MlflowHttp
from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import STEADY, claims
from tests.support.servers.mlflow_stub import Reply, Request, StubMlflow, error, stub_mlflow
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures
from trace_writer.probe import PROBE_TRACE_ID
from trace_writer.tracker import ExperimentRefused, Faulted, InDoubt, TrackerUnavailable

Answer = Callable[[Request], Reply | None]


@pytest.fixture
def stub() -> Iterator[StubMlflow]:
    with stub_mlflow() as server:
        yield server


def deliver(url: str, events: int = 1, clock: ManualClock | None = None, timeout_seconds: float = 30.0) -> Failures:
    """Deliver that many events of one experiment, within a minute of a clock that only waiting moves."""
    clock = clock or ManualClock()
    tracker = MlflowTracker(MlflowHttp(url), clock.now, timeout_seconds)
    members = [decoded(str(index), prediction_event(), claims()) for index in range(events)]
    return Delivery(tracker, clock, 8_000_000, STEADY).deliver(members, clock.now() + 60)


def posts(answer: Callable[[int], Reply | None]) -> Answer:
    """Answer requests for spans by their number, from 0 on; all else as a healthy MLflow does."""
    numbers = count()
    return lambda request: answer(next(numbers)) if request.line == "POST /v1/traces" else None


def looked_up(request: Request) -> bool:
    return "get-by-name" in request.line


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_refused_request_is_searched_for_the_refused_trace(stub: StubMlflow, status: int) -> None:
    poison: set[str] = set()

    def answer(request: Request) -> Reply | None:
        if request.trace_ids and not poison:
            poison.add(min(request.trace_ids))
        return error(status) if request.trace_ids & poison else None

    stub.answer = answer

    failures = deliver(stub.url, events=20)

    assert len(failures) == 1
    assert f"/v1/traces was answered HTTP {status}" in str(*failures.values())
    assert "the reason" in str(*failures.values())


def test_a_long_answer_is_shortened(stub: StubMlflow) -> None:
    stub.answer = posts(lambda _: Reply(400, "x" * 5000))
    assert len(str(deliver(stub.url)["0"])) < 700


@pytest.mark.parametrize("status", [401, 403, 408, 429])
def test_what_is_not_about_the_traces_is_waited_out(stub: StubMlflow, status: int) -> None:
    stub.answer = posts(lambda number: error(status) if number < 2 else None)
    clock = ManualClock()

    assert deliver(stub.url, events=5, clock=clock) == {}
    assert clock.pauses == [0.5, 1.0]


def test_a_wrong_password_is_reported_with_the_settings_to_check(stub: StubMlflow) -> None:
    stub.answer = lambda _: Reply(401, "You are not authenticated")

    failures = deliver(stub.url, events=3)

    assert set(failures) == {"0", "1", "2"}
    assert "HTTP 401 You are not authenticated; check OFFPATH_MLFLOW_USERNAME" in str(failures["0"])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_passes_is_waited_out(stub: StubMlflow, status: int) -> None:
    stub.answer = posts(lambda number: error(status) if number < 3 else None)
    assert deliver(stub.url, events=8) == {}


def test_a_server_error_that_stays_keeps_every_message(stub: StubMlflow) -> None:
    stub.answer = lambda _: error(503)

    failures = deliver(stub.url, events=8)

    assert len(failures) == 8
    assert all(isinstance(failure, TrackerUnavailable) for failure in failures.values())


@pytest.mark.parametrize("header", ["7", "Wed, 21 Oct 2015 07:28:00 GMT", "soon"])
def test_retry_after_is_respected_if_it_says_when(stub: StubMlflow, header: str) -> None:
    stub.answer = posts(lambda number: error(429, **{"Retry-After": header}) if number == 0 else None)
    clock = ManualClock()

    assert deliver(stub.url, clock=clock) == {}
    assert clock.pauses == [7.0 if header == "7" else 0.5]


def test_no_server_at_all_keeps_every_message(nowhere: str) -> None:
    failures = deliver(nowhere, events=2)

    assert set(failures) == {"0", "1"}
    assert isinstance(failures["0"], TrackerUnavailable)
    assert not isinstance(failures["0"], Faulted)


def test_no_answer_in_time_keeps_the_message(stub: StubMlflow) -> None:
    stub.answer = posts(lambda _: Reply(never=True))

    failures = deliver(stub.url, timeout_seconds=0.1)

    assert isinstance(failures["0"], Faulted)
    assert "no answer" in str(failures["0"])


def test_a_connection_that_breaks_off_is_tried_again(stub: StubMlflow) -> None:
    stub.answer = posts(lambda number: Reply(0) if number == 0 else None)
    assert deliver(stub.url) == {}


@pytest.mark.parametrize(
    "reply", [Reply(404, "<html>not found</html>"), Reply(302, headers={"Location": "/login"}), Reply(200, "<html>")]
)
def test_another_server_at_that_address_keeps_the_messages(stub: StubMlflow, reply: Reply) -> None:
    stub.answer = lambda _: reply

    failures = deliver(stub.url)

    assert isinstance(failures["0"], TrackerUnavailable)
    assert "OFFPATH_MLFLOW_URL" in str(failures["0"])


def test_an_experiment_that_is_gone_is_looked_up_again_once(stub: StubMlflow) -> None:
    stub.answer = posts(lambda number: error(404, "RESOURCE_DOES_NOT_EXIST") if number == 0 else None)

    assert deliver(stub.url) == {}
    assert len([request for request in stub.requests if looked_up(request)]) == 2


def test_message_stays_while_its_experiment_keeps_vanishing(stub: StubMlflow) -> None:
    stub.answer = posts(lambda _: error(404, "RESOURCE_DOES_NOT_EXIST"))
    assert "says it is gone" in str(deliver(stub.url)["0"])


def test_an_experiment_is_looked_up_once_a_minute(stub: StubMlflow) -> None:
    clock = ManualClock()
    tracker = MlflowTracker(MlflowHttp(stub.url), clock.now, 30)
    payload = decoded("1", prediction_event(), claims()).payload

    for seconds in (0, 30, 31):
        clock.sleep(seconds)
        tracker.log("offpath/iris", payload, 30)

    assert [line.split()[0] for line in stub.lines] == ["GET", "POST", "POST", "GET", "POST"]


def test_writers_that_create_an_experiment_at_once_use_the_same(stub: StubMlflow) -> None:
    finds = count()

    def answer(request: Request) -> Reply | None:
        if request.line.endswith("/create"):
            return error(400, "RESOURCE_ALREADY_EXISTS")
        if looked_up(request) and next(finds) == 0:
            return error(404, "RESOURCE_DOES_NOT_EXIST")
        return None

    stub.answer = answer

    assert deliver(stub.url) == {}
    assert [request.headers.get("x-mlflow-experiment-id") for request in stub.requests][-1] == "1"


def test_exists_is_no_answer_to_spans(stub: StubMlflow) -> None:
    stub.answer = posts(lambda number: error(400, "RESOURCE_ALREADY_EXISTS") if number == 0 else None)
    assert isinstance(deliver(stub.url)["0"], Rejected)


class TimedHttp(MlflowHttp):
    """Notes how long each request may take, and takes twenty seconds of a clock for it, or all that it may."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        super().__init__(url)
        self._manual = clock
        self.timeouts: list[float] = []

    def request(self, *arguments: Any, timeout_seconds: float | None = None, **options: Any) -> http.Answer:
        assert timeout_seconds is not None
        self.timeouts.append(timeout_seconds)
        self._manual.advance(min(20.0, timeout_seconds))
        return super().request(*arguments, timeout_seconds=timeout_seconds, **options)


def test_all_requests_of_a_log_share_its_time(stub: StubMlflow) -> None:
    stub.answer = lambda request: error(404, "RESOURCE_DOES_NOT_EXIST") if looked_up(request) else None
    clock = ManualClock()
    http = TimedHttp(stub.url, clock)
    tracker = MlflowTracker(http, clock.now, 30)

    with pytest.raises(TrackerUnavailable, match="no time left for GET"):
        tracker.log("offpath/iris", decoded("1", prediction_event(), claims()).payload, 25)

    assert http.timeouts == [25, 5]
    assert [line.split()[0] for line in stub.lines] == ["GET", "POST"]


def test_an_experiment_that_something_keeps_deleting_keeps_the_message(stub: StubMlflow) -> None:
    deleted = json.dumps({"experiment": {"experiment_id": "1", "lifecycle_stage": "deleted"}})
    stub.answer = lambda request: Reply(200, deleted) if looked_up(request) else None
    assert "keeps creating and deleting" in str(deliver(stub.url)["0"])


def test_an_experiment_that_mlflow_will_not_have_is_refused_whole(stub: StubMlflow) -> None:
    def answer(request: Request) -> Reply | None:
        return error(400, "INVALID_PARAMETER_VALUE") if looked_up(request) and "iris" in request.line else None

    stub.answer = answer

    failures = deliver(stub.url, events=4)

    assert [type(failure) for failure in failures.values()] == [ExperimentRefused] * 4
    assert [request for request in stub.requests if looked_up(request) and "iris" in request.line] == stub.requests[:1]
    assert [request.trace_ids for request in stub.requests[1:] if request.trace_ids] == [{PROBE_TRACE_ID.hex()}]


@pytest.mark.parametrize("status", [400, 422])
def test_refusals_of_everything_are_an_outage(stub: StubMlflow, status: int) -> None:
    stub.answer = posts(lambda _: error(status, "BAD_REQUEST"))

    failures = deliver(stub.url, events=20)

    assert len(failures) == 20
    assert {type(failure) for failure in failures.values()} == {InDoubt}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("passed", [0, 1, 2, 5])
def test_no_event_is_judged_while_a_database_fails(stub: StubMlflow, status: int, passed: int) -> None:
    stub.answer = posts(lambda number: error(status, "BAD_REQUEST") if number >= passed else None)
    clock = ManualClock()
    tracker = MlflowTracker(MlflowHttp(stub.url), clock.now, 30)
    events = [decoded(str(index), prediction_event(f"offpath/{index % 4}"), claims()) for index in range(40)]

    failures = Delivery(tracker, clock, 8_000_000, STEADY).deliver(events, clock.now() + 60)

    assert len(failures) == 40 - 10 * min(passed, 4)
    assert not [failure for failure in failures.values() if isinstance(failure, Poison)]


def test_user_and_password_are_sent(stub: StubMlflow) -> None:
    tracker = MlflowTracker(
        MlflowHttp(stub.url, StaticCredentials(Credentials("writer", "s3cret"))), ManualClock().now, 30
    )

    tracker.log("offpath/iris", decoded("1", prediction_event(), claims()).payload, 30)

    expected = "Basic " + base64.b64encode(b"writer:s3cret").decode()
    assert {
        request.headers.get("authorization", request.headers.get("Authorization")) for request in stub.requests
    } == {expected}
