"""A new version becomes champion where its metric is better."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.promotion import Promotion, Verdict
from training.metrics import SCORES, evaluate, less_is_better, metrics_of
from training.promotion import Asked, ChampionRule, IfBetter, Measured, NotWorse, Unmeasured

ROWS = {"seed": "42", "test_share": "0.2", "data.sha256": "ab"}
ACCURACY = "validation_accuracy"


def decide(promotion: Promotion, new: Measured, champion: Measured | None) -> Verdict:
    return IfBetter(promotion).decide(new, champion)


def measured(version: str, metric: str = ACCURACY, value: float = 0.9, **rows: str) -> Measured:
    return Measured(version, {metric: value}, ROWS | rows)


def test_without_a_champion_it_is_one() -> None:
    verdict = decide(Promotion(metric=ACCURACY), measured("1"), None)
    assert (verdict.promoted, verdict.comparable, verdict.reason) == (True, None, "there was no champion")


@pytest.mark.parametrize(
    ("metric", "new", "champion", "margin", "promoted"),
    [
        (ACCURACY, 0.93, 0.90, 0.03, True),  # the margin exactly, which floats miss by a hair
        (ACCURACY, 0.92, 0.90, 0.03, False),
        (ACCURACY, 0.90, 0.90, 0.0, False),
        (ACCURACY, 0.91, 0.90, 0.0, True),
        (ACCURACY, 0.80, 0.90, 0.0, False),
        ("validation_rmse", 1.5, 2.0, 0.5, True),
        ("validation_rmse", 1.6, 2.0, 0.5, False),
        ("validation_mae", 2.5, 2.0, 0.1, False),
        ("validation_r2", 0.7, 0.6, 0.05, True),
    ],
)
def test_a_margin_in_the_direction_of_the_metric(
    metric: str, new: float, champion: float, margin: float, promoted: bool
) -> None:
    verdict = decide(
        Promotion(metric=metric, margin=margin), measured("2", metric, new), measured("1", metric, champion)
    )
    assert (verdict.promoted, verdict.comparable) == (promoted, True)
    assert verdict.reason.startswith(f"{metric} {new:.6g} against {champion:.6g} of the champion, version 1: ")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_of_two_versions_at_most_one_beats_the_other(one: float, other: float, margin: float) -> None:
    promotion = Promotion(metric=ACCURACY, margin=margin)
    first, second = measured("1", value=one), measured("2", value=other)
    assert not (decide(promotion, first, second).promoted and decide(promotion, second, first).promoted)


def test_a_champion_that_was_not_measured_stays() -> None:
    verdict = decide(Promotion(metric=ACCURACY), measured("2"), measured("1", "validation_f1"))
    assert (verdict.promoted, verdict.comparable) == (False, None)
    assert verdict.reason == "the run of the champion, version 1, has no validation_accuracy"
    assert decide(Promotion(metric="r2"), measured("2"), measured("1")).reason == "its run has no metric r2"


def test_other_rows_are_compared_and_named() -> None:
    verdict = decide(Promotion(metric=ACCURACY), measured("2", value=0.95, seed="4"), measured("1"))
    assert (verdict.promoted, verdict.comparable) == (True, False)
    assert verdict.reason.endswith(
        "any gain was asked for. The two were measured on different held-out rows: not the same seed"
    )


def test_what_is_champion_already_stays_so() -> None:
    verdict = decide(Promotion(metric=ACCURACY, margin=1), measured("2"), measured("2"))
    assert verdict.promoted
    assert "an earlier attempt" in verdict.reason


def test_the_scores_are_those_that_a_training_takes() -> None:
    assert tuple(evaluate("classification", [0, 1], [0, 1])) == SCORES["classification"]
    assert tuple(evaluate("regression", [0.0, 1.0], [0.0, 1.0])) == SCORES["regression"]
    assert [name for name in metrics_of("regression") if less_is_better(name)] == [
        "validation_mse",
        "validation_rmse",
        "validation_mae",
    ]
    assert not any(map(less_is_better, metrics_of("classification")))


ALL_RULES: list[ChampionRule] = [
    IfBetter(Promotion(metric=ACCURACY)),
    NotWorse(ACCURACY),
    Asked(ACCURACY, None),
    Asked(ACCURACY, lambda _, __: False),
]


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: type(rule).__name__)
@given(new=st.floats(0, 1), champion=st.floats(0, 1))
def test_no_rule_lets_a_worse_version_be_champion(rule: ChampionRule, new: float, champion: float) -> None:
    verdict = rule.decide(measured("2", value=new), measured("1", value=champion))
    assert not (verdict.promoted and new < champion)


@given(new=st.floats(0, 1), champion=st.floats(0, 1))
def test_a_version_that_is_not_worse_becomes_champion(new: float, champion: float) -> None:
    verdict = NotWorse(ACCURACY).decide(measured("2", value=new), measured("1", value=champion))
    assert verdict.promoted is (new >= champion)


@pytest.mark.parametrize("rule", [IfBetter(Promotion(metric=ACCURACY)), NotWorse(ACCURACY)])
def test_made_up_data_never_replace_given_data(rule: ChampionRule) -> None:
    made_up = replace(measured("2", value=1.0), synthetic=True)
    verdict = rule.decide(made_up, measured("1", value=0.5))
    assert not verdict.promoted
    assert verdict.reason == "it learnt from made-up data, and the champion, version 1, from given data"
    assert rule.decide(made_up, replace(measured("1", value=0.5), synthetic=True)).promoted
    assert rule.decide(made_up, None).promoted


@pytest.mark.parametrize(
    ("new", "champion", "advised"),
    [
        (measured("2", value=0.95), measured("1"), True),
        (measured("2", value=0.9), measured("1"), False),
        (measured("2", value=0.8), measured("1"), False),
        (replace(measured("2", value=1.0), synthetic=True), measured("1"), False),
        (measured("2"), measured("1", "validation_f1"), False),
    ],
)
@pytest.mark.parametrize("answer", [True, False])
def test_who_is_asked_sees_both_and_decides(new: Measured, champion: Measured, advised: bool, answer: bool) -> None:
    seen: list[tuple[str, bool]] = []

    def ask(text: str, is_advised: bool) -> bool:
        seen.append((text, is_advised))
        return answer

    verdict = Asked(ACCURACY, ask).decide(new, champion)
    [(text, is_advised)] = seen
    assert (verdict.promoted, is_advised) == (answer, advised)
    assert text in verdict.reason
    assert "champion, version 1" in text


def test_nobody_to_ask_leaves_the_champion() -> None:
    verdict = Asked(ACCURACY, None).decide(measured("2", value=1.0), measured("1"))
    assert not verdict.promoted
    assert verdict.reason.endswith("; nobody was there to be asked")


@pytest.mark.parametrize("answer", [True, False])
def test_a_version_without_figures_is_for_somebody_to_decide(answer: bool) -> None:
    verdict = Unmeasured(lambda _, advised: answer and not advised).decide(measured("2"), measured("1"))
    assert verdict.promoted is answer
    assert verdict.reason.startswith("the champion is version 1, and no figure says which of the two is better")
    assert not Unmeasured(None).decide(measured("2"), measured("1")).promoted
    assert Unmeasured(None).decide(measured("1"), None).promoted
