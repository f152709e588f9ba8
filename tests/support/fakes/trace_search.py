"""A search for traces in memory, page by page, as MLflow's client does it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


class Page(list[Any]):
    """Traces, and where the next page begins."""

    def __init__(self, traces: list[Any], token: str | None) -> None:
        super().__init__(traces)
        self.token = token


@dataclass
class FakeTraceSearch:
    """Finds so many traces, the newest first; others arrive between pages."""

    traces: int
    arriving: int = 0

    def search_traces(self, *, max_results: int, page_token: str | None, **_: Any) -> Page:
        begin = int(page_token or 0)
        numbers = range(self.traces, 0, -1)[begin : begin + max_results]
        end = begin + len(numbers)
        token = str(end) if end < self.traces else None
        self.traces += self.arriving
        return Page([SimpleNamespace(info=SimpleNamespace(trace_id=f"tr-{number}")) for number in numbers], token)
