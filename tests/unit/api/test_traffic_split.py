"""Weighted picks that stay with their key."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from prediction_api.routing.traffic_split import pick

KEYS = [f"session-{number}" for number in range(4_000)]


def drawn(**weights: int) -> dict[str, str | None]:
    return {key: pick(weights, key) for key in KEYS}


def test_shares_are_as_the_weights() -> None:
    counts = Counter(drawn(champion=70, challenger=25, next=5).values())
    # Five standard deviations of a binomial of 4,000.
    assert abs(counts["champion"] - 2_800) < 145
    assert abs(counts["challenger"] - 1_000) < 137
    assert abs(counts["next"] - 200) < 69


def test_a_larger_weight_moves_keys_to_its_own_candidate_only() -> None:
    before, after = drawn(champion=90, challenger=5, next=5), drawn(champion=80, challenger=15, next=5)
    moved = {(before[key], after[key]) for key in KEYS if before[key] != after[key]}
    assert ("champion", "challenger") in moved
    assert ("challenger", "champion") not in moved
    assert ("next", "champion") not in moved or ("champion", "next") not in moved


def test_no_candidate_is_picked_without_a_weight() -> None:
    assert set(drawn(champion=100, challenger=0).values()) == {"champion"}
    assert pick({"champion": 0}, "key") is None
    assert pick({}, "key") is None


@given(st.text(), st.dictionaries(st.text(), st.integers(0, 100)))
def test_the_same_key_has_the_same_candidate_whatever_the_order(key: str, weights: dict[str, int]) -> None:
    candidate = pick(weights, key)
    assert candidate == pick(dict(reversed(weights.items())), key)
    assert candidate is None or weights[candidate] > 0
