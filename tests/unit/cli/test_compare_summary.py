"""Figures of a comparison, and the table of them."""

import io
from typing import Any

import pytest
from rich.console import Console

from offpath_cli.compare.observation import Observation
from offpath_cli.compare.summary import summarise
from offpath_cli.compare.table import table_of


def seen(version: str = "1", alias: str = "champion", **more: Any) -> Observation:
    fields: dict[str, Any] = {
        "is_shadow": False, "failed": False, "request_ms": 2.0, "model_ms": 1.0, "predicted": ["setosa"],
    }  # fmt: skip
    fields["records"] = len(more.get("predicted", fields["predicted"]))
    return Observation(version, alias, **(fields | more))


def shadow(**more: Any) -> Observation:
    return seen("2", "next", **({"is_shadow": True, "request_ms": None} | more))


def printed(*observations: Observation) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table_of(summarise(observations)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_versions_are_counted_by_alias_answers_first() -> None:
    summaries = summarise([shadow(), seen(), seen("2", "challenger"), seen(), seen("2", "champion", failed=True)])
    assert [(one.alias, one.version, one.is_shadow, one.requests) for one in summaries] == [
        ("champion", "1", False, 2),
        ("challenger", "2", False, 1),
        ("champion", "2", False, 1),
        ("next", "2", True, 1),
    ]


def test_times_are_percentiles_and_errors_a_rate() -> None:
    times = [seen(request_ms=float(number), model_ms=number / 2) for number in range(1, 101)]
    failed = seen(failed=True, model_ms=None, predicted=[])
    [summary] = summarise([*times, failed])
    assert summary.request_ms == pytest.approx((50.0, 95.0, 99.0), abs=1)
    assert summary.model_ms == pytest.approx((25.25, 47.5, 49.5), abs=0.1)
    assert summary.error_rate == pytest.approx(1 / 101)


def test_agreement_is_a_mean_over_records() -> None:
    [summary] = summarise(
        [shadow(agreement=1.0, predicted=["a"] * 9), shadow(agreement=0.0), shadow(failed=True, predicted=[])]
    )
    assert summary.agreement == pytest.approx(0.9)
    assert summary.difference is None


def test_predictions_that_are_neither_labels_nor_numbers_count_as_records() -> None:
    [summary] = summarise(
        [shadow(predicted=[], records=3, agreement=1.0), shadow(predicted=[], records=1, agreement=0.0)]
    )
    assert (summary.records, summary.agreement, summary.values) == (4, 0.75, ())


@pytest.mark.parametrize("label", ["[unk]", "[/b]", ":smile:"])
def test_a_label_is_shown_as_it_is(label: str) -> None:
    assert f"predicted {label}" in printed(seen(predicted=[label]))


def test_labels_have_shares_and_values_percentiles() -> None:
    [labels] = summarise([seen(predicted=["a", "a", "b"]), seen(predicted=["a"])])
    assert labels.labels == {"a": 0.75, "b": 0.25}
    assert labels.values == ()
    [values] = summarise([seen(predicted=[float(number) for number in range(101)])])
    assert values.values == (5.0, 50.0, 95.0)


def test_the_table_shows_versions_side_by_side() -> None:
    text = printed(seen(), seen(), seen("2", "challenger", predicted=["virginica"]), shadow(agreement=0.5))
    lines = {line.rsplit("  ", text.count("version"))[0].strip(): line for line in text.splitlines()}
    assert "version 1" in text
    assert "agrees with the answer" in text
    assert "50.0%" in next(line for line in lines.values() if "agrees" in line)
    assert next(line for line in lines.values() if "share of" in line).split()[-2:] == ["66.7%", "33.3%"]
    assert "value p50" not in text
    assert "differs" not in text


def test_a_regressions_table_shows_values_and_differences() -> None:
    text = printed(seen(predicted=[9.5]), shadow(predicted=[10.5], agreement=0.0, difference=1.0))
    assert "value p50" in text
    assert next(line for line in text.splitlines() if "differs" in line).split()[-1] == "1"
