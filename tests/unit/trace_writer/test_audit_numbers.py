"""Runs of numbers are what a set of numbers is."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trace_writer.audit.numbers import Numbers, Run, count, gaps, union, without

NUMBERS = st.lists(st.integers(1, 60), max_size=60)


def of(numbers: list[int]) -> Numbers:
    made = Numbers()
    for number in numbers:
        made.add(number, number * 10)
    return made


def members(runs: list[Run]) -> list[int]:
    return [number for run in runs for number in range(run.first, run.last + 1)]


@given(NUMBERS)
def test_set_in_runs_holds_what_was_added(numbers: list[int]) -> None:
    made, known = Numbers(), set[int]()
    for number in numbers:
        assert made.add(number, number * 10) == (number not in known)
        known.add(number)
    runs = list(made)
    assert members(runs) == sorted(known)
    assert all(after.first > before.last + 1 for before, after in pairwise(runs))
    assert [(run.from_ms, run.to_ms) for run in runs] == [(run.first * 10, run.last * 10) for run in runs]
    assert [number in made for number in range(62)] == [number in known for number in range(62)]
    assert count(runs) == len(known)


@given(st.lists(NUMBERS, max_size=4))
def test_union_is_that_of_sets(sets: list[list[int]]) -> None:
    runs = union(*map(of, sets), None)
    assert members(runs) == sorted(set().union(*map(set, sets)))
    assert [(run.from_ms, run.to_ms) for run in runs] == [(run.first * 10, run.last * 10) for run in runs]


@given(NUMBERS, st.lists(NUMBERS, max_size=3))
def test_difference_is_that_of_sets(numbers: list[int], others: list[list[int]]) -> None:
    left = list(without(of(numbers), *map(of, others), None))
    assert members(left) == sorted(set(numbers).difference(*others))


@given(NUMBERS, st.integers(1, 60))
def test_gaps_are_what_lies_before_and_between(numbers: list[int], first: int) -> None:
    numbers = [number for number in numbers if number >= first]
    found = list(gaps(union(of(numbers)), first, 7))
    assert members(found) == [number for number in range(first, max(numbers, default=0)) if number not in numbers]
    for gap in found:
        assert gap.to_ms == (gap.last + 1) * 10
        assert gap.from_ms == (7 if gap.first == first else (gap.first - 1) * 10)


def test_millions_in_a_row_take_no_room() -> None:
    numbers = Numbers()
    for number in range(1, 100_001):
        numbers.add(number, number)
    assert list(numbers) == [Run(1, 100_000, 1, 100_000)]
