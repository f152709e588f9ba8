"""`offpath predict`: files of any length, in bounded requests, with bad rows aside."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.testbed.models import IRIS_COLUMNS, SETOSA, VIRGINICA
from offpath_cli.app import app
from tests.support.builders.api import Api
from tests.support.servers.served_app import served

NAMES = list(IRIS_COLUMNS)


def offpath(*arguments: object, url: str) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, arguments), "--url", url], env={"COLUMNS": "200"})


def table(path: Path, rows: Sequence[Sequence[Any]], header: Sequence[str] = NAMES) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_table_is_predicted_in_its_order(tmp_path: Path) -> None:
    given = [("a", *SETOSA.values()), ("b", *VIRGINICA.values())] * 30
    api = Api(max_records=10)
    with served(api.app) as url:
        done = offpath("iris", table(tmp_path / "flowers.csv", given, ["id", *NAMES]), "--records", 7, url=url)
    assert done.exit_code == 0, done.output
    rows = read(tmp_path / "flowers.predicted.csv")
    assert [(row["id"], row["label"]) for row in rows] == [("a", "setosa"), ("b", "virginica")] * 30
    assert {float(row["probability_setosa"]) > 0.5 for row in rows if row["id"] == "a"} == {True}
    assert {row["trace_id"] for row in rows} == {event.mlflow_trace_id for event in api.traced.events}
    assert "60 row(s) predicted" in done.output
    assert not list(tmp_path.glob("*.part"))


def test_bad_rows_are_put_aside_with_the_reason(tmp_path: Path) -> None:
    good = list(SETOSA.values())
    kinds: list[list[Any]] = [["wide", *good[1:]], good[:3], good]
    rows = kinds * 20
    with served(Api(max_records=100).app) as url:
        done = offpath("iris", table(tmp_path / "flowers.csv", rows), url=url)
    assert done.exit_code == 1
    assert len(read(tmp_path / "flowers.predicted.csv")) == 20
    refused = lines(tmp_path / "flowers.predicted.refused.jsonl")
    assert [one["row"] for one in refused] == [number for number in range(1, 61) if number % 3]
    assert refused[0]["problem"].startswith("sepal_length: ")
    assert "got 'wide'" in refused[0]["problem"]
    assert refused[1]["problem"] == "the row has 3 values, and the header 4"
    assert "40 row(s) put aside" in done.output


def test_json_lines_keep_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "flowers.jsonl"
    path.write_text("\n".join([json.dumps({**SETOSA, "id": 7}), "", "{", json.dumps([1, 2]), json.dumps(VIRGINICA)]))
    with served(Api().app) as url:
        done = offpath("iris", path, "-o", tmp_path / "out.jsonl", url=url)
    assert done.exit_code == 1
    first, second = lines(tmp_path / "out.jsonl")
    assert (first["id"], first["prediction"]["label"]) == (7, "setosa")
    assert second["prediction"]["label"] == "virginica"
    assert [one["row"] for one in lines(tmp_path / "out.refused.jsonl")] == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["irsi", "{csv}"], "no model 'irsi'"),
        (["iris", "gone.csv"], "there is no such file: gone.csv"),
        (["iris", "{csv}", "-o", "{csv}"], "that is the file to read"),
        (["iris", "rows.xlsx"], "expected a name that ends in one of .csv"),
        (["iris", "{short}"], "the header lacks columns that the model needs: petal_width"),
        (["iris", "{csv}", "--alias", "blue"], "answers 404"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    files = {
        "csv": table(tmp_path / "a.csv", [[*SETOSA.values()]]),
        "short": table(tmp_path / "b.csv", [[1, 2, 3]], NAMES[:3]),
    }
    with served(Api().app) as url:
        done = offpath(*(argument.format(**files) for argument in arguments), url=url)
    assert done.exit_code == 1
    assert complaint in done.output


def test_an_api_that_is_away_is_told_at_once(tmp_path: Path, nowhere: str) -> None:
    done = offpath("iris", table(tmp_path / "a.csv", [[*SETOSA.values()]]), url=nowhere)
    assert done.exit_code == 1
    assert "no prediction API answers at" in done.output
    assert not (tmp_path / "a.predicted.csv").exists()


def test_a_run_that_ends_early_says_how_to_go_on(tmp_path: Path) -> None:
    flaky = Api()
    calls = 0

    async def gate(scope: Any, receive: Any, send: Any) -> None:
        nonlocal calls
        calls += scope["method"] == "POST"
        if calls > 2:
            scope = {**scope, "path": "/gone", "raw_path": b"/gone"}
        await flaky.app(scope, receive, send)

    rows = [[*SETOSA.values()]] * 50
    with served(gate) as url:
        done = offpath("iris", table(tmp_path / "a.csv", rows), "--records", 10, url=url)
    assert done.exit_code == 1
    assert "The first 20 rows are done" in done.output
    assert "--skip 20" in done.output
    assert len(read(tmp_path / "a.predicted.csv.part")) == 20
    with served(flaky.app) as url:
        done = offpath("iris", tmp_path / "a.csv", "--skip", 20, "-o", tmp_path / "rest.csv", url=url)
    assert len(read(tmp_path / "rest.csv")) == 30
