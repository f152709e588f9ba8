"""Runs of the suite, one after the other."""

import pytest
import typer

from tests.soak import Run, main, plan

QUICK = ["tests/unit/project/test_names.py", "-n", "0", "-p", "no:cacheprovider"]


def test_runs_are_idle_and_busy_in_both_orders() -> None:
    runs = plan(8, seed=3)
    assert [(run.busy, run.seed is not None) for run in runs[:4]] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    assert [run.busy for run in runs[4:]] == [False, True, False, True]
    assert runs == plan(8, seed=3)
    assert len({run.seed for run in runs}) == 5, "each order is drawn anew"


def test_runs_that_pass_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end:
        main(QUICK, runs=4, seed=3)
    assert end.value.exit_code == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4", "4 of 4 runs passed"]
    assert said[0].startswith("1 of 4: idle, in the order of the files: 1 passed in ")
    assert said[3].startswith(f"4 of 4: {Run(busy=True, seed=plan(4, seed=3)[3].seed)}: 1 passed in ")


def test_a_run_that_fails_is_named_with_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end:
        main(["tests/no/such/file.py", "-n", "0"], runs=1, seed=3)
    assert end.value.exit_code == 1
    said, last = capsys.readouterr().out.splitlines()
    assert "it did not come to an end; see " in said
    assert "run-1.log" in said
    assert last == "0 of 1 runs passed"
