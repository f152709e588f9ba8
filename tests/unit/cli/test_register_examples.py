"""Input examples in all the forms that people and MLflow write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath_cli.errors import ModelRefused
from offpath_cli.register.examples import Records, Tensors, parse_example, read_example, rows_of

NAMES = st.text(min_size=1).filter(lambda name: name not in {"inputs", "columns", "data"} and "dataframe" not in name)
SCALARS = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.booleans(), st.none())


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, SCALARS)), min_size=1, max_size=4))


@given(tables())
def test_the_same_records_in_every_form(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    split = {"columns": names, "data": [[row[name] for name in names] for row in rows]}
    for document in (rows, {"inputs": rows}, split, {"dataframe_split": split}, {"dataframe_records": rows}):
        assert rows_of(parse_example(document), names) == rows
    assert rows_of(parse_example(rows[0]), names) == rows[:1]


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2), min_size=1, max_size=3))
def test_nested_lists_are_a_tensor_or_the_columns_in_order(lists: list[list[float]]) -> None:
    for document in (lists, {"inputs": lists}):
        example = parse_example(document)
        assert example == Tensors({None: lists})
        assert [list(row.values()) for row in rows_of(example, ["a", "b"])] == lists
    assert parse_example({"inputs": {"image": lists}}) == Tensors({"image": lists})


def test_columns_can_be_lists() -> None:
    assert rows_of(parse_example({"a": [1, 2], "b": [3, 4]}), ["a", "b"]) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


def test_columns_come_in_the_signatures_order() -> None:
    assert list(rows_of(Records([{"b": 1, "a": 2}]), ["a", "b"])[0]) == ["a", "b"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", "3", '"text"', '{"columns": ["a"], "data": [[1, 2]]}', "\xff"]
)
def test_what_is_no_example_is_refused_with_what_is_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "example.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(
        ModelRefused, match=r'the input example example\.json cannot be read: .*expected JSON: a record \{"col'
    ):
        read_example(path)


def test_an_example_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "example.json"
    path.write_text(json.dumps({"plan": "größer"}), encoding="utf-8")
    assert read_example(path) == Records([{"plan": "größer"}])


@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(1, 3))
def test_columns_have_each_name_once(names: list[str], rows: int) -> None:
    document = {"columns": names, "data": [[1.0] * len(names)] * rows}
    if len(set(names)) == len(names):
        assert rows_of(parse_example(document), names) == [dict.fromkeys(names, 1.0)] * rows
    else:
        with pytest.raises(ValueError, match="it has several columns of the name"):
            parse_example(document)


@pytest.mark.parametrize("more", [{}, {"index": [0, 1]}])
def test_a_data_frame_without_names_is_read_in_order(more: dict[str, Any]) -> None:
    example = parse_example({"data": [[1.0, 2.0], [3.0, 4.0]]} | more)
    assert rows_of(example, ["0", "1"]) == [{"0": 1.0, "1": 2.0}, {"0": 3.0, "1": 4.0}]
