"""A set of the numbers that a process gave its events, in runs: millions in a row take no more room than one."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Run(NamedTuple):
    """Numbers in a row, first to last, both included. from_ms, to_ms: the times of first and last, or near them."""

    first: int
    last: int
    from_ms: int
    to_ms: int

    @property
    def size(self) -> int:
        """How many numbers these are."""
        return self.last - self.first + 1


class Numbers:
    """A set of integers in runs, with the times of the runs' ends, in milliseconds since 1970."""

    __slots__ = ("_firsts", "_from", "_lasts", "_to")

    def __init__(self) -> None:
        self._firsts, self._lasts = array("q"), array("q")
        self._from, self._to = array("q"), array("q")

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def __iter__(self) -> Iterator[Run]:
        return map(Run, self._firsts, self._lasts, self._from, self._to)

    def add(self, number: int, time_ms: int = 0) -> bool:
        """Add a number, and tell whether it is new."""
        at = bisect_right(self._firsts, number) - 1
        if at >= 0 and number <= self._lasts[at]:
            return False
        follows = at >= 0 and self._lasts[at] == number - 1
        precedes = at + 1 < len(self._firsts) and self._firsts[at + 1] == number + 1
        if follows and precedes:
            self._lasts[at], self._to[at] = self._lasts[at + 1], self._to[at + 1]
            self._drop(at + 1)
        elif follows:
            self._lasts[at], self._to[at] = number, time_ms
        elif precedes:
            self._firsts[at + 1], self._from[at + 1] = number, time_ms
        else:
            self._insert(at + 1, number, time_ms)
        return True

    def _insert(self, at: int, number: int, time_ms: int) -> None:
        for column, value in (
            (self._firsts, number),
            (self._lasts, number),
            (self._from, time_ms),
            (self._to, time_ms),
        ):
            column.insert(at, value)

    def _drop(self, at: int) -> None:
        for column in (self._firsts, self._lasts, self._from, self._to):
            del column[at]


def union(*sets: Numbers | None) -> list[Run]:
    """Return the runs of all numbers that are in one of the sets, in order."""
    runs: list[Run] = []
    for run in sorted(run for numbers in sets if numbers is not None for run in numbers):
        if runs and run.first <= runs[-1].last + 1:
            before = runs[-1]
            if run.last > before.last:
                runs[-1] = Run(before.first, run.last, before.from_ms, run.to_ms)
        else:
            runs.append(run)
    return runs


def without(runs: Iterable[Run], *others: Numbers | None) -> Iterator[Run]:
    """Yield the runs of those numbers that are in none of the others. runs: in order."""
    taken = union(*others)
    at = 0
    for run in runs:
        first = run.first
        while at < len(taken) and taken[at].last < first:
            at += 1
        look = at
        while look < len(taken) and taken[look].first <= run.last:
            if taken[look].first > first:
                yield Run(first, taken[look].first - 1, run.from_ms, run.to_ms)
            first = taken[look].last + 1
            look += 1
        if first <= run.last:
            yield Run(first, run.last, run.from_ms, run.to_ms)


def count(runs: Iterable[Run]) -> int:
    """Return how many numbers are in the runs."""
    return sum(run.size for run in runs)


def gaps(known: list[Run], first: int, begin_ms: int) -> Iterator[Run]:
    """Yield the numbers from the first one on that lie before and between the known runs.

    Their times are those of the numbers beside them. begin_ms: when the first number was given.
    """
    expected, since_ms = first, begin_ms
    for run in known:
        if run.first > expected:
            yield Run(expected, run.first - 1, since_ms, run.from_ms)
        expected, since_ms = max(expected, run.last + 1), run.to_ms
