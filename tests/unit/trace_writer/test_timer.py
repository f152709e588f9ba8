"""How writers pause."""

from itertools import islice

from trace_writer.timer import Timer


def test_pauses_double_up_to_a_limit_and_chance_at_most_halves_them() -> None:
    assert list(islice(Timer(chance=lambda: 1.0).pauses(), 7)) == [0.5, 1, 2, 4, 8, 8, 8]
    assert list(islice(Timer(chance=lambda: 0.0).pauses(), 3)) == [0.25, 0.5, 1]
