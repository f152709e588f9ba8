"""A search for traces in memory hands out pages as MLflow's client does."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from mlflow import MlflowClient

from offpath.mlflow.http import MlflowHttp
from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_search import FakeTraceSearch
from tests.support.fakes.trace_writer import claims
from trace_writer.adapters.mlflow import MlflowTracker

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")


@dataclass
class Traces:
    """Traces of one experiment. add: logs another one. page: two of them, from a page's token on."""

    add: Callable[[], None]
    page: Callable[[str | None], Any]


def fake(_: pytest.FixtureRequest) -> Traces:
    search = FakeTraceSearch(traces=0)

    def add() -> None:
        search.traces += 1

    return Traces(add, lambda token: search.search_traces(max_results=2, page_token=token))


def real(request: pytest.FixtureRequest) -> Traces:
    url: str = request.getfixturevalue("mlflow_url")
    name, client = f"offpath/{uuid.uuid4().hex}", MlflowClient(url)
    experiment_id = client.create_experiment(name)
    tracker = MlflowTracker(MlflowHttp(url), ManualClock().now, 30)

    def add() -> None:
        tracker.log(name, decoded("1", prediction_event(name), claims()).payload, 30)

    def page(token: str | None) -> Any:
        return client.search_traces(
            locations=[experiment_id], filter_string="timestamp_ms >= 0", max_results=2, page_token=token
        )

    return Traces(add, page)


@pytest.fixture(params=[fake, real], ids=["fake", "mlflow"])
def traces(request: pytest.FixtureRequest) -> Traces:
    made: Traces = request.param(request)
    return made


def ids(page: Any) -> list[str]:
    return [trace.info.trace_id for trace in page]


def test_no_traces_are_one_empty_page(traces: Traces) -> None:
    page = traces.page(None)
    assert (ids(page), bool(page.token)) == ([], False)


def test_the_last_page_has_no_token(traces: Traces) -> None:
    for _ in range(3):
        traces.add()
    first = traces.page(None)
    second = traces.page(first.token)
    assert (len(first), len(second), bool(second.token)) == (2, 1, False)
    assert len({*ids(first), *ids(second)}) == 3


def test_trace_that_arrives_between_pages_shifts_the_next(traces: Traces) -> None:
    for _ in range(3):
        traces.add()
    first = traces.page(None)
    traces.add()
    second = traces.page(first.token)
    assert ids(second)[0] == ids(first)[-1]
