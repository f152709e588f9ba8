"""Traces of an MLflow server, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mlflow.entities import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from offpath_cli.compare.mlflow_traces import PAGE, _span, newest_traces
from tests.support.fakes.trace_search import FakeTraceSearch


def read(server: FakeTraceSearch, limit: int) -> list[str]:
    found: Iterator[Any] = newest_traces(server, "1", datetime(2026, 3, 1, tzinfo=UTC), limit)
    return [trace.info.trace_id for trace in found]


def test_every_page_is_read_up_to_the_limit() -> None:
    assert read(FakeTraceSearch(PAGE * 2 + 5), 10_000) == [f"tr-{number}" for number in range(PAGE * 2 + 5, 0, -1)]
    assert len(read(FakeTraceSearch(PAGE * 2 + 5), PAGE + 7)) == PAGE + 7
    assert read(FakeTraceSearch(0), 10) == []


def test_traces_that_arrive_meanwhile_make_none_count_twice() -> None:
    assert read(FakeTraceSearch(PAGE * 2, arriving=30), 10_000) == [f"tr-{number}" for number in range(PAGE * 2, 0, -1)]


def test_outputs_that_are_text_come_as_in_the_archive() -> None:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("x").start_span("fraud")
    span.set_attributes({"mlflow.traceRequestId": '"tr-1"', "mlflow.spanOutputs": '"good"', "other": '"text"'})
    span.end()
    assert isinstance(span, ReadableSpan)
    assert _span(Span(span)).attributes.items() >= {"mlflow.spanOutputs": '"good"', "other": "text"}.items()
