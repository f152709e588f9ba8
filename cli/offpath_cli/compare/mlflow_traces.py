"""Traces from an MLflow server."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from offpath_cli.compare.span import CompareError, Span

PAGE = 100


class MlflowTraces:
    """The newest traces of the model's experiment since a moment, up to a limit."""

    def __init__(self, tracking_uri: str, experiment: str, since: datetime, limit: int) -> None:
        self._tracking_uri = tracking_uri
        self._experiment = experiment
        self._since = since
        self._limit = limit

    def spans(self, model: str) -> Iterator[list[Span]]:
        """The spans of each trace, the newest first. Raises CompareError."""
        from mlflow import MlflowClient  # it takes seconds to import
        from mlflow.exceptions import MlflowException

        try:
            yield from self._pages(MlflowClient(self._tracking_uri), f"{self._experiment}/{model}")
        except MlflowException as error:
            raise CompareError(f"MLflow at {self._tracking_uri} does not hand out its traces: {error}") from error

    def _pages(self, client: Any, name: str) -> Iterator[list[Span]]:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise CompareError(
                f"MLflow at {self._tracking_uri} has no experiment {name!r}: is that the model's name, has it answered "
                "anything yet, and may this user read it?"
            )
        wanted = f"timestamp_ms >= {int(self._since.timestamp() * 1000)}"
        token, left = None, self._limit
        while left > 0:
            page = client.search_traces(
                locations=[experiment.experiment_id],
                filter_string=wanted,
                max_results=min(left, PAGE),
                page_token=token,
            )
            yield from ([_span(span) for span in trace.data.spans] for trace in page)
            left -= len(page)
            if not (token := page.token):
                return


def _span(span: Any) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id or "",
        name=span.name,
        start=span.start_time_ns,
        end=span.end_time_ns or span.start_time_ns,
        failed=span.status.status_code.value == "ERROR",
        attributes=span.attributes,
    )
