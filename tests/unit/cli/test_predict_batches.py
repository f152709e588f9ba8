"""Rows in requests of bounded size, and rows that are put aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath_cli.errors import PredictError
from offpath_cli.predict.api import Answer
from offpath_cli.predict.batches import MOST_BYTES, Predicted, Refused, batches, predict
from offpath_cli.predict.rows import Row


class Picky:
    """An API that refuses odd numbers, and takes at most so many records; it names the records, or says nothing."""

    def __init__(self, most: int, *, names: bool) -> None:
        self.most = most
        self.names = names

    def predict(self, records: Sequence[Any]) -> Answer:
        if len(records) > self.most:
            return Answer(413, {"detail": "too large"})
        odd = [at for at, record in enumerate(records) if record % 2]
        if odd:
            errors = [{"field": f"inputs[{at}].x", "message": "is odd"} for at in odd[:3]] if self.names else []
            return Answer(422, {"detail": "odd", "errors": errors})
        return Answer(200, {"predictions": [{"value": record} for record in records], "trace_id": None})


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 70), st.booleans())
def test_each_row_has_one_result_in_its_order(numbers: list[int], most: int, names: bool) -> None:
    rows = [Row(place, {}, number) for place, number in enumerate(numbers, 1)]
    results = predict(Picky(most, names=names), rows)
    assert [result.row for result in results] == rows
    for result in results:
        if isinstance(result, Predicted):
            assert result.prediction["value"] == result.row.record % 10
            assert result.row.record % 2 == 0
        else:
            assert result.row.record % 2 == 1


@given(st.lists(st.integers(0, 400_000), max_size=20), st.integers(1, 5))
def test_batches_are_bounded_and_leave_nothing_out(sizes: list[int], most: int) -> None:
    rows = [Row(number, {}, "x" * size) for number, size in enumerate(sizes, 1)]
    made = list(batches(rows, most))
    assert [row for batch in made for row in batch] == rows
    for batch in made:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(len(row.record) + 2 for row in batch) <= MOST_BYTES


def test_an_answer_that_blames_no_row_ends_the_run() -> None:
    class Closed:
        def predict(self, records: Sequence[Any]) -> Answer:
            return Answer(401, {"detail": f"no key for {len(records)}"})

    with pytest.raises(PredictError, match="the API answers 401: no key"):
        predict(Closed(), [Row(1, {}, 1)])


def test_refused_rows_are_rows() -> None:
    [result] = predict(Picky(1, names=True), [Row(4, {"x": "?"}, None, "the line is not JSON")])
    assert result == Refused(Row(4, {"x": "?"}, None, "the line is not JSON"), "the line is not JSON")
