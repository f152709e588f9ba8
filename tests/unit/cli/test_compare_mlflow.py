"""Traces of an MLflow server, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from offpath_cli.compare.mlflow_traces import PAGE, newest_traces


class Page(list[Any]):
    """Traces, and where the next page begins."""

    def __init__(self, traces: list[Any], token: str | None) -> None:
        super().__init__(traces)
        self.token = token


@dataclass
class FakeServer:
    """As many traces, the newest first; others arrive between pages."""

    traces: int
    arriving: int = 0

    def search_traces(self, *, max_results: int, page_token: str | None, **_: Any) -> Page:
        begin = int(page_token or 0)
        numbers = range(self.traces, 0, -1)[begin : begin + max_results]
        end = begin + len(numbers)
        token = str(end) if end < self.traces else None
        self.traces += self.arriving
        return Page([SimpleNamespace(info=SimpleNamespace(trace_id=f"tr-{number}")) for number in numbers], token)


def read(server: FakeServer, limit: int) -> list[str]:
    found: Iterator[Any] = newest_traces(server, "1", datetime(2026, 3, 1, tzinfo=UTC), limit)
    return [trace.info.trace_id for trace in found]


def test_every_page_is_read_up_to_the_limit() -> None:
    assert read(FakeServer(PAGE * 2 + 5), 10_000) == [f"tr-{number}" for number in range(PAGE * 2 + 5, 0, -1)]
    assert len(read(FakeServer(PAGE * 2 + 5), PAGE + 7)) == PAGE + 7
    assert read(FakeServer(0), 10) == []


def test_traces_that_arrive_meanwhile_make_none_count_twice() -> None:
    assert read(FakeServer(PAGE * 2, arriving=30), 10_000) == [f"tr-{number}" for number in range(PAGE * 2, 0, -1)]
