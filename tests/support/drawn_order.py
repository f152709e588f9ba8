"""Tests in a drawn order: a test that only passes after, or before, another one is found."""

import random
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# The marker of a module whose tests are steps of one story: their order stays.
STORY = "story"


def drawn(items: "Sequence[pytest.Item]", seed: int) -> "list[pytest.Item]":
    """Return the items with the modules in a drawn order, and in each module its tests, unless they are a story."""
    chance = random.Random(seed)
    modules = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    chance.shuffle(modules)
    for tests in modules:
        if not any(test.get_closest_marker(STORY) for test in tests):
            chance.shuffle(tests)
    return [test for tests in modules for test in tests]
