"""Read traces from an MLflow server."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from offpath.attributes import ANSWERED_TRACE_ID, SPAN_OUTPUTS, trace_tag
from offpath.contracts.names import model_experiment, shadow_experiment
from offpath_cli.compare.span import Span
from offpath_cli.errors import CompareError

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities

PAGE = 100
_ANSWERED = trace_tag(ANSWERED_TRACE_ID)


class TracePage(Protocol):
    """Hold one page of traces. token: where the next page begins; None or empty after the last one."""

    token: str | None

    def __iter__(self) -> "Iterator[entities.Trace]": ...


class TraceSearch(Protocol):
    """Search the traces of an MLflow server, as its client does."""

    def search_traces(
        self, *, locations: list[str], filter_string: str, max_results: int, page_token: str | None
    ) -> TracePage:
        """Return one page of the traces, the newest first."""


class MlflowTraces:
    """Read the newest traces of the model's experiment since a moment, up to a limit, and those of their shadows."""

    def __init__(self, tracking_uri: str, experiment: str, since: datetime, limit: int) -> None:
        self._tracking_uri = tracking_uri
        self._experiment = experiment
        self._since = since
        self._limit = limit

    def spans(self, model: str) -> Iterator[list[Span]]:
        """Yield the spans of each trace, the newest first. Raises CompareError."""
        from mlflow import MlflowClient  # it takes seconds to import
        from mlflow.exceptions import MlflowException

        try:
            yield from self._found(MlflowClient(self._tracking_uri), model)
        except MlflowException as error:
            raise CompareError(f"MLflow at {self._tracking_uri} does not hand out its traces: {error}") from error

    def _found(self, client: "MlflowClient", model: str) -> Iterator[list[Span]]:
        name = model_experiment(self._experiment, model)
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise CompareError(
                f"MLflow at {self._tracking_uri} has no experiment {name!r}: is that the model's name, has it answered "
                "anything yet, and may this user read it?"
            )
        answered: set[str] = set()
        oldest = self._since
        for trace in newest_traces(client, experiment.experiment_id, self._since, self._limit):
            answered.add(trace.info.trace_id)
            oldest = datetime.fromtimestamp(trace.info.request_time / 1000, UTC)
            yield [_span(span) for span in trace.data.spans]
        shadows = client.get_experiment_by_name(shadow_experiment(self._experiment, model))
        if shadows is None:
            return
        begin = oldest if len(answered) == self._limit else self._since
        for trace in newest_traces(client, shadows.experiment_id, begin, sys.maxsize):
            spans = [_span(span) for span in trace.data.spans]
            if any(span.attributes.get(_ANSWERED) in answered for span in spans):
                yield spans


def newest_traces(client: TraceSearch, experiment_id: str, since: datetime, limit: int) -> "Iterator[entities.Trace]":
    """Yield MLflow's traces since a moment, the newest first, each of them once."""
    wanted = f"timestamp_ms >= {int(since.timestamp() * 1000)}"
    token: str | None = None
    seen: set[str] = set()
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
        token = page.token
        if not token:
            return


def _span(span: "entities.Span") -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id or "",
        name=span.name,
        start=span.start_time_ns,
        end=span.end_time_ns or span.start_time_ns,
        failed=span.status.status_code.value == "ERROR",
        attributes=_as_json(span.attributes),
    )


def _as_json(attributes: dict[str, object]) -> dict[str, object]:
    """Return the attributes with outputs that are text as JSON text, as they are in the archive: MLflow's client has
    parsed it."""
    outputs = attributes.get(SPAN_OUTPUTS)
    return {**attributes, SPAN_OUTPUTS: json.dumps(outputs)} if isinstance(outputs, str) else attributes
