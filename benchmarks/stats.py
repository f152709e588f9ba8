"""Sum up many samples for a table."""

import random
from collections.abc import Sequence

DRAWS = 400


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the value that this percentage of the samples lies below, interpolated between neighbours.

    percent: 0 to 100. Raises ValueError when there are no samples.
    """
    if not samples:
        raise ValueError("there are no samples to take a percentile of")
    ordered = sorted(samples)
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def compared(samples: Sequence[float], baseline: Sequence[float]) -> dict[str, float]:
    """Return median and 99th percentile of the samples, and by how much they exceed the baseline's, in their unit.

    `added_p99_low` and `added_p99_high` hold 95 % of what other runs like this one would find, as a bootstrap tells
    (https://en.wikipedia.org/wiki/Bootstrapping_(statistics)). Raises ValueError when there are no samples.
    """
    p50, p99 = percentile(samples, 50), percentile(samples, 99)
    chance = random.Random(0)  # the same samples give the same figures
    draws = [_drawn_p99(samples, chance) - _drawn_p99(baseline, chance) for _ in range(DRAWS)]
    return {
        "samples": len(samples),
        "p50": p50,
        "p99": p99,
        "added_p50": p50 - percentile(baseline, 50),
        "added_p99": p99 - percentile(baseline, 99),
        "added_p99_low": percentile(draws, 2.5),
        "added_p99_high": percentile(draws, 97.5),
    }


def _drawn_p99(samples: Sequence[float], chance: random.Random) -> float:
    return percentile(chance.choices(samples, k=len(samples)), 99)
