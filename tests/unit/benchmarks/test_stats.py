"""Test the figures in the benchmarks' tables."""

import pytest

from benchmarks.stats import compared, percentile


@pytest.mark.parametrize(("percent", "value"), [(0, 1.0), (50, 3.0), (75, 4.0), (90, 4.6), (100, 5.0)])
def test_a_percentile_lies_between_its_neighbours(percent: float, value: float) -> None:
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], percent) == pytest.approx(value)


def test_of_one_sample_every_percentile_is_that_sample() -> None:
    assert percentile([7.0], 99) == 7.0


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_what_is_added_is_the_difference_of_the_percentiles() -> None:
    baseline = [float(value) for value in range(101)]
    found = compared([value + 10 for value in baseline], baseline)
    assert (found["samples"], found["p50"], found["p99"]) == (101, 60.0, 109.0)
    assert (found["added_p50"], found["added_p99"]) == (10.0, 10.0)


def test_the_interval_holds_the_figure_and_is_reproducible() -> None:
    baseline = [float(value % 17) for value in range(200)]
    samples = [value + 3 for value in baseline]
    found = compared(samples, baseline)
    assert found["added_p99_low"] <= found["added_p99"] <= found["added_p99_high"]
    assert compared(samples, baseline) == found
