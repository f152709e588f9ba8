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
            yield from self._found(MlflowClient(self._tracking_uri), f"{self._experiment}/{model}")
        except MlflowException as error:
            raise CompareError(f"MLflow at {self._tracking_uri} does not hand out its traces: {error}") from error

    def _found(self, client: Any, name: str) -> Iterator[list[Span]]:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise CompareError(
                f"MLflow at {self._tracking_uri} has no experiment {name!r}: is that the model's name, has it answered "
                "anything yet, and may this user read it?"
            )
        found = pages(client, experiment.experiment_id, self._since, self._limit)
        yield from ([_span(span) for span in trace.data.spans] for trace in found)


def pages(client: Any, experiment_id: str, since: datetime, limit: int) -> Iterator[Any]:
    """MLflow's traces since a moment, the newest first, each of them once."""
    wanted = f"timestamp_ms >= {int(since.timestamp() * 1000)}"
    token, seen = None, set[str]()
    while len(seen) < limit:
        page = client.search_traces(
            locations=[experiment_id],
            filter_string=wanted,
            max_results=min(limit - len(seen), PAGE),
            page_token=token,
        )
        # A page begins at a number: traces that arrive meanwhile move some of the last page into this one.
        new = [trace for trace in page if trace.info.trace_id not in seen]
        seen.update(trace.info.trace_id for trace in new)
        yield from new
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
