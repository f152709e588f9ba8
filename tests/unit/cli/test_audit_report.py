"""What an audit found is shown to people and to programs alike."""

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

from offpath_cli.app import app
from offpath_cli.audit.access_log import Request
from offpath_cli.audit.moments import moment
from offpath_cli.audit.report import Answered, Report, Verified, document, show
from offpath_cli.audit.verify import Absent
from trace_writer.audit.findings import Findings, Kind, Missing, Tally
from trace_writer.audit.period import Period

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)
PERIOD = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=3))
PROCESS = "ab" * 16
LOST = Missing(Kind.lost, PROCESS, 3, 5, NOON, NOON + timedelta(minutes=1))
NO_END = Missing(Kind.no_end, PROCESS, 9, 9, NOON, NOON, "iris", ("t1", "t2", "t3", "t4"))
OTHER = Missing(Kind.not_archived, PROCESS, 12, 13, NOON, NOON, "abalone")
ABSENT = Absent("t9", "iris", PROCESS, 4, 3, 1)
REQUEST = Request("invocation-1", NOON, "/models/iris/predict", "503")


def found(**others: object) -> Findings:
    iris = Tally(archived=10, ends=Counter({"in_mlflow": 8, "dead_lettered": 1, "of_tomorrow": 1}), twice=2)
    made = Findings({"iris": iris, "abalone": Tally(archived=3, ends=Counter(in_mlflow=3))}, processes=2)
    for name, value in others.items():
        setattr(made, name, value)
    return made


def text_of(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_all_is_well_says_how_many_events_there_were() -> None:
    report = Report("the local stack", PERIOD, found())
    text = text_of(report)
    assert "the local stack: events of 2031-07-14 12:00 to 2031-07-14 13:00 UTC" in text
    assert "of tomorrow" in text  # an end that this version does not know
    assert "all is well" in text
    shown = document(report)
    assert json.loads(json.dumps(shown))["exit_code"] == report.exit_code == 0
    models = shown["models"]
    assert isinstance(models, dict)
    assert models["iris"]["ends"] == {"in_mlflow": 8, "dead_lettered": 1, "of_tomorrow": 1}
    total = shown["total"]
    assert isinstance(total, dict)
    assert (total["emitted"], total["archived"], total["twice"], total["missing"]) == (13, 13, 2, 0)


def test_what_is_missing_is_shown_with_process_numbers_and_times() -> None:
    report = Report("the stack x", PERIOD, found(missing=[LOST, NO_END, OTHER]))
    text = text_of(report)
    assert f"process {PROCESS}, 3 to 5, 2031-07-14 12:00:00 to 12:01:00" in text
    assert f"process {PROCESS}, 9, 2031-07-14 12:00:00 to 12:00:00, iris" in text
    assert "tr-t1 tr-t2 tr-t3 …" in text
    assert "3 missing (lost)" in text
    missing = document(report)["missing"]
    assert isinstance(missing, list)
    assert missing[0] == {
        "kind": "lost",
        "instance": PROCESS,
        "first": 3,
        "last": 5,
        "count": 3,
        "since": "2031-07-14T12:00:00.000Z",
        "until": "2031-07-14T12:01:00.000Z",
        "model": "",
        "trace_ids": (),
    }
    assert report.exit_code == 1


def test_one_models_report_has_what_may_be_its_own() -> None:
    report = Report("x", PERIOD, found(missing=[LOST, NO_END, OTHER]), "iris")
    assert report.missing == [LOST, NO_END]
    assert set(report.tallies) == {"iris"}
    assert "abalone" not in text_of(report)


@pytest.mark.parametrize(
    ("others", "verified", "answered", "code", "said"),
    [
        ({}, Verified(20), None, 0, "MLflow has all of 20 trace(s)"),
        ({}, Verified(20, [ABSENT]), None, 1, "tr-t9, iris"),
        ({}, Verified(0, [], "refused"), None, 3, "MLflow was not asked: refused"),
        ({"missing": [LOST]}, Verified(0, [], "refused"), None, 1, "3 missing"),
        ({"missing": [LOST], "on_queue": 7}, None, None, 1, "7 message(s) are on the queue"),
        ({}, None, Answered(5, 0, []), 0, "each of 5 answered requests"),
        ({}, None, Answered(5, 1, [REQUEST]), 1, "status 503, invocation invocation-1"),
        ({"unreadable": ["key: odd"]}, None, None, 3, "cannot be read: key: odd"),
        ({"models": {"a": Tally(archived=1, unrecorded=1)}}, None, None, 3, "before the trace writer kept receipts"),
        ({"models": {"a": Tally(archived=3, waiting=3)}, "on_queue": 2}, None, None, 1, "the queue, which holds 2"),
        ({"models": {"a": Tally(archived=3, waiting=3)}, "on_queue": 3}, None, None, 0, "all is well"),
        ({"models": {"a": Tally(archived=3, waiting=3)}, "on_queue": None}, None, None, 0, "all is well"),
        ({"nameless_dead_letters": 2, "unnumbered": 4}, None, None, 0, "2 dead letter(s) do not say"),
    ],
)
def test_exit_code_says_what_kind_of_result_it_is(
    others: dict[str, object], verified: Verified | None, answered: Answered | None, code: int, said: str
) -> None:
    report = Report("x", PERIOD, found(**others), "", verified, answered)
    assert report.exit_code == code
    assert said in text_of(report)
    assert json.loads(json.dumps(document(report)))["exit_code"] == code


def test_long_lists_are_cut_on_the_screen_alone() -> None:
    many = [Missing(Kind.lost, PROCESS, number * 2, number * 2, NOON, NOON) for number in range(50)]
    report = Report("x", PERIOD, found(missing=many))
    assert "and 30 ranges more" in text_of(report)
    assert len(document(report)["missing"]) == 50  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        ["--since", "soon"],
        ["--since", "1w"],
        ["--since", "999999999d"],
        ["--since", "2026-13-01"],
        ["--since", "1h", "--until", "2h"],
        ["--verify", "some"],
        ["--verify", "-1"],
        ["--grace", "2026-11-25"],
        ["--access-log", "/no/such/file"],
    ],
)
def test_options_that_cannot_be_used_end_with_two(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["audit", *options])
    assert result.exit_code == 2, result.output
    assert options[0] in result.stderr


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2h", NOON - timedelta(hours=2)),
        ("2031-07-13", NOON - timedelta(hours=36)),
        ("2031-07-14T14:00+02:00", NOON),
        (" 2031-07-14T11:30 ", NOON - timedelta(minutes=30)),
    ],
)
def test_moments_are_written_as_ages_or_times(text: str, time: datetime) -> None:
    assert moment(text, NOON, "--since") == time
