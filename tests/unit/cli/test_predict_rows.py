"""Rows of tables and of JSON lines: nothing is dropped, or read otherwise than it was meant, without a word."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from offpath.contracts.model_manifest import Column
from offpath_cli.errors import PredictError
from offpath_cli.predict.rows import Row, open_rows

A, B = Column(name="a", type="double"), Column(name="b", type="double", required=False)
TEXT = Column(name="text", type="string")


def rows(path: Path, content: str, columns: Sequence[Column] = (A, B)) -> list[Row]:
    path.write_text(content)
    with open_rows(path, columns) as table:
        return list(table.rows)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty: expected a header with the columns a, b"),
        ("a,b,a\n1,2,3\n", "the header has a more than once"),
        ("a;b\n1;2\n", "lacks columns that the model needs: a"),
        ("a,B\n1,2\n", "'B' is no column of the model's; is 'b' meant?"),
        ("a, b\n1,2\n", "' b' is no column of the model's; is 'b' meant?"),
        ('a,b\n1,"2\n', "not CSV: unexpected end of data"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(PredictError, match=r"rows\.csv") as refused:
        rows(tmp_path / "rows.csv", content)
    assert complaint in str(refused.value)


def test_a_header_of_no_optional_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredictError, match="lacks columns that the model needs: b"):
        rows(tmp_path / "rows.csv", "a;b\n1;2\n", [B])


@pytest.mark.parametrize("cell", ["nan", "NaN", "NA", "null", ""])
def test_a_missing_value_is_left_out(tmp_path: Path, cell: str) -> None:
    assert [row.record for row in rows(tmp_path / "rows.csv", f"a,b\n1,{cell}\n")] == [{"a": 1.0}]


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1_000", "0x1", "1,5", "abc"])
def test_what_is_no_number_stays_a_text(tmp_path: Path, cell: str) -> None:
    assert [row.record for row in rows(tmp_path / "rows.csv", f'a,b\n1,"{cell}"\n')] == [{"a": 1.0, "b": cell}]


def test_quoted_line_breaks_and_long_cells_are_read(tmp_path: Path) -> None:
    long = "x" * 200_000
    found = rows(tmp_path / "rows.csv", f'"no\nte",text\n"1\n2","{long}\nnan"\n', [TEXT])
    assert [(row.given["no\nte"], row.record) for row in found] == [("1\n2", {"text": f"{long}\nnan"})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "the line is not JSON"),
        ('{"A": 1, "b": 2}', "'A' is no column of the model's; is 'a' meant?"),
        ('{"c": 1}', "it has none of the model's columns a, b"),
    ],
    ids=["not a number", "deep", "case", "foreign"],
)
def test_a_line_that_cannot_be_meant_is_put_aside(tmp_path: Path, line: str, problem: str) -> None:
    bad, good = rows(tmp_path / "rows.jsonl", f'{line}\n{{"a": 1, "id": 7}}\n')
    assert problem in bad.problem
    assert (bad.record, good.record, good.problem) == (None, {"a": 1}, "")
