"""Predict rows in requests of bounded size, and put rows aside that the API does not take."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from offpath_cli.errors import PredictError
from offpath_cli.predict.api import Answer
from offpath_cli.predict.rows import Row

# A request has at most so many bytes, well below what Lambda takes.
MOST_BYTES = 1_000_000
_AT = re.compile(r"inputs\[(\d+)\]")
# Of one of these the caller is told what to do; no row is at fault.
_FATAL = frozenset({400, 401, 403, 404, 405, 415})


class Api(Protocol):
    """Predicts records."""

    def predict(self, records: Sequence[Any]) -> Answer:
        """Return the answer for these records. Raises PredictError if there is none."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """A row and its prediction. trace_id: of the request, or None for a model that is not traced."""

    row: Row
    prediction: Mapping[str, Any]
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is put aside. problem: why."""

    row: Row
    problem: str


Result = Predicted | Refused


def batches(rows: Iterable[Row], most_records: int) -> Iterator[list[Row]]:
    """Yield the rows in lists of at most so many, and of at most MOST_BYTES where a row has less by itself."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        bytes_ = len(json.dumps(row.record))
        if batch and (len(batch) >= most_records or size + bytes_ > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += bytes_
    if batch:
        yield batch


def predict(api: Api, rows: Sequence[Row]) -> list[Result]:
    """Return a result for each row, in their order. Raises PredictError for what no row is to blame for."""
    found: dict[int, Result] = {row.number: Refused(row, row.problem) for row in rows if row.problem}
    _predict(api, [row for row in rows if not row.problem], found)
    return [found[row.number] for row in rows]


def _predict(api: Api, rows: Sequence[Row], found: dict[int, Result]) -> None:
    """Predict rows that can be read. Those that the API names are put aside, and the others are sent once more."""
    while rows:
        answer = api.predict([row.record for row in rows])
        if answer.status == 200:
            _take(rows, answer, found)
            return
        if answer.status in _FATAL:
            raise PredictError(f"the API answers {answer.status}: {answer.problem}")
        named = _named(answer, len(rows))
        if not named:
            _split(api, rows, answer, found)
            return
        found |= {rows[at].number: Refused(rows[at], problem) for at, problem in named.items()}
        rows = [row for at, row in enumerate(rows) if at not in named]


def _take(rows: Sequence[Row], answer: Answer, found: dict[int, Result]) -> None:
    predictions = answer.document["predictions"]
    if len(predictions) != len(rows):
        raise PredictError(f"the API gave {len(predictions)} predictions for {len(rows)} rows")
    trace_id = answer.document.get("trace_id")
    for row, prediction in zip(rows, predictions, strict=True):
        found[row.number] = Predicted(row, prediction, trace_id)


def _split(api: Api, rows: Sequence[Row], answer: Answer, found: dict[int, Result]) -> None:
    """Find the row at fault, where the answer names none, by halves."""
    if len(rows) == 1:
        found[rows[0].number] = Refused(rows[0], answer.problem)
        return
    middle = len(rows) // 2
    _predict(api, rows[:middle], found)
    _predict(api, rows[middle:], found)


def _named(answer: Answer, count: int) -> dict[int, str]:
    """Return what is wrong with each row that the answer names, by its place in the request."""
    named: dict[int, list[str]] = {}
    for error in answer.document.get("errors", ()):
        place = _AT.match(str(error.get("field")))
        if place and int(place[1]) < count:
            named.setdefault(int(place[1]), []).append(
                f"{error['field'][place.end() :].lstrip('.')}: {error['message']}"
            )
    return {at: "; ".join(problem.lstrip(": ") for problem in problems) for at, problems in named.items()}
