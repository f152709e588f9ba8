"""Probes find where two forms of a model differ, and tell of the smallest record."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.probes.answers import Answer, Ask, Record, difference, scales_of
from training.probes.asking import ask_all
from training.probes.compare import Comparison, Disagreement
from training.probes.draw import ProbeMaker
from training.probes.fields import Field
from training.probes.jumps import jumps
from training.probes.limits import with_limits
from training.probes.structure import Structure

NUMBERS = tuple(float(number) for number in range(10))
A, B = Field("a", "double", NUMBERS), Field("b", "double", NUMBERS)
TEXT = Field("text", "string", ("some words", "other words"))
EXAMPLES: list[Record] = [{"a": number, "b": 1.0} for number in NUMBERS]


def asking(answer: Callable[[Record], str]) -> Ask:
    """Return a model that answers with a label, or raises."""
    return ask_all(lambda records: [Answer(answer(record)) for record in records], (ValueError,))


def number(record: Record, name: str = "a") -> float:
    value = record.get(name)
    if not isinstance(value, int | float):
        raise ValueError(f"{name} is missing")  # noqa: TRY004 - as the library's would
    return float(value)


def compared(
    original: Ask, served: Ask, fields: Sequence[Field], examples: list[Record], seed: int = 1
) -> Disagreement:
    records = ProbeMaker(fields, examples, Structure(), original, seed).records()
    assert len(records) >= 2_000
    with pytest.raises(Disagreement) as found:
        Comparison(original, records, original(records), examples[0], seed).run(served)
    return found.value


@pytest.mark.parametrize("threshold", [3.3, 7.0, math.pi])
def test_a_threshold_that_is_taken_otherwise_is_found(threshold: float) -> None:
    at_most = asking(lambda record: "low" if number(record) <= threshold else "high")
    less = asking(lambda record: "low" if number(record) < threshold else "high")
    found = compared(at_most, less, [A, B], EXAMPLES)
    assert found.record == {"a": threshold, "b": 1.0}
    assert (found.expected.label, found.given.label) == ("low", "high")
    assert f"the smallest is {{\"a\": {threshold}, \"b\": 1.0}}: the original says 'low', ONNX 'high' (seed 1)" in str(
        found
    )


def test_a_jump_is_found_to_the_last_digit() -> None:
    original = asking(lambda record: "low" if number(record) <= 2.7182818284590451 else "high")
    found = {number(record) for record in jumps(original, [A, B], EXAMPLES[:1], 100)}
    assert {2.718281828459045, math.nextafter(2.718281828459045, 3)} <= found


def test_a_text_is_cut_down_to_what_differs() -> None:
    original = asking(lambda record: "plain" if str(record["text"]).isascii() else "marked")
    deaf = asking(lambda _: "plain")
    found = compared(original, deaf, [TEXT], [{"text": "some words"}, {"text": "other words"}])
    assert len(str(found.record["text"])) == 1


def test_a_missing_value_is_tried_alone_and_together() -> None:
    fields = [Field(name, "double", NUMBERS, is_optional=True) for name in ("a", "b")]
    original = asking(lambda record: "none" if not record else "some")
    served = asking(lambda _: "some")
    assert compared(original, served, fields, EXAMPLES).record == {}


def test_the_same_seed_draws_the_same_records() -> None:
    original = asking(lambda _: "same")
    first, second, other = (
        ProbeMaker([A, TEXT], [{"a": 1.0, "text": "x"}], Structure(), original, seed, 500).records()
        for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def refusing(record: Record) -> str:
    if record.get("plan") not in {"basic", "pro"}:
        raise ValueError("unknown category")
    if "a" not in record:
        raise ValueError("missing")
    if abs(number(record)) > 1e38:
        raise ValueError("too large")
    return "answered"


def test_what_the_original_refuses_becomes_limits() -> None:
    plan = Field("plan", "string", ("basic",), is_optional=True)
    structure = Structure(texts={"pro", "gone"})
    bases: list[Record] = [{"a": 1.0, "b": 2.0, "plan": "basic"}]
    a, b, plan = with_limits(
        asking(refusing), [A, Field("b", "double", NUMBERS, is_optional=True), plan], bases, structure
    )
    assert (a.limits.missing, a.limits.least, a.limits.most) == (False, -1e30, 1e30)
    assert (b.is_optional, b.limits.most) == (True, None)
    assert (plan.is_optional, plan.limits.values) == (False, ("basic", "pro"))


def test_numbers_below_zero_may_be_refused_alone() -> None:
    def root(record: Record) -> str:
        return str(math.sqrt(number(record)))

    [found] = with_limits(asking(root), [A], [{"a": 1.0}], Structure())
    assert (found.limits.least, found.limits.most) == (0.0, None)


@pytest.mark.parametrize(
    ("expected", "given", "size"),
    [
        (Answer("a"), Answer("b"), None),
        (Answer("a", (0.5, 0.5), lead=0.0), Answer("b", (0.5, 0.5)), 0.0),
        (Answer("a", (0.6, 0.4)), Answer("a", (0.6, 0.4 - 1e-4)), None),
        (Answer("a", (0.6, 0.4)), Answer("a"), None),
        (Answer(values=(1e9,)), Answer(values=(1e9 + 1,)), 1e-9),
        (Answer(values=(1.0, 2.0)), Answer(values=(1.0,)), None),
        (Answer(refused="no"), Answer("a"), None),
        (Answer("a"), Answer(refused="no"), None),
        (Answer(refused="no"), Answer(refused="neither"), 0.0),
        (Answer(values=(math.inf,)), Answer(values=(1.0,)), None),
    ],
)
def test_answers_agree_within_the_tolerance(expected: Answer, given: Answer, size: float | None) -> None:
    assert difference(expected, given) == (size if size is None else pytest.approx(size))


def test_records_that_are_refused_cost_only_themselves() -> None:
    answers = asking(refusing)([{"a": 1.0, "plan": "pro"}, {"plan": "pro"}, {"a": 1.0, "plan": "basic"}])
    assert [answer.refused is None for answer in answers] == [True, False, True]
    assert answers[1].refused == "ValueError: missing"


def values(value: Callable[[Record], float]) -> Ask:
    """Return a model that answers with a number."""
    return ask_all(lambda records: [Answer(values=(value(record),)) for record in records], (ValueError,))


def comparison(original: Ask, records: list[Record] = EXAMPLES) -> Comparison:
    return Comparison(original, records, original(records), EXAMPLES[0], 1, scales=scales_of(original(EXAMPLES)))


@given(st.floats(1e-12, 1e6), st.floats(1e-4, 1.0))
def test_values_of_any_size_differ_by_their_digits(size: float, share: float) -> None:
    original = values(lambda record: number(record) * size)
    with pytest.raises(Disagreement):
        comparison(original).run(values(lambda record: number(record) * size * (1 + share)))
    assert comparison(original).run(values(lambda record: number(record) * size * (1 + 1e-9))).largest <= 1e-5


@given(st.integers(0, 100))
def test_choices_between_equals_are_counted_up_to_a_share(tied: int) -> None:
    records: list[Record] = [{"a": float(at), "b": 1.0} for at in range(100)]
    original: Ask = lambda asked: [Answer("yes", is_tied=number(record) < tied) for record in asked]  # noqa: E731
    served = asking(lambda record: "no" if number(record) < tied else "yes")
    if tied <= 5:
        assert comparison(original, records).run(served).by_chance == tied
    else:
        with pytest.raises(Disagreement, match="equally far away"):
            comparison(original, records).run(served)


def test_a_record_that_is_answered_otherwise_alone_is_found() -> None:
    def beside_others(records: Sequence[Record]) -> list[Answer]:
        return [Answer("many" if len(records) > 1 else "one") for _ in records]

    with pytest.raises(Disagreement, match="hang on the records beside it"):
        comparison(beside_others).run(asking(lambda _: "many"))
    assert comparison(beside_others).run(beside_others).compared == len(EXAMPLES)
