"""Say where two predictions differ, and by how much."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from typing import Any

# Between machines, ONNX Runtime's kernels add in another order: single precision has some 1e-7.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which two documents differ. path: as `[0].label`; what is missing in one is None."""

    path: str
    before: Any
    now: Any

    @property
    def is_rounding(self) -> bool:
        """Return whether both are numbers that are as good as equal."""
        numbers = all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in (self.before, self.now)
        )
        return numbers and isclose(self.before, self.now, rel_tol=ROUNDING, abs_tol=ROUNDING)


def differences(before: Any, now: Any, path: str = "") -> Iterator[Difference]:
    """Yield each place at which two JSON documents differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*before, *now]):
            yield from differences(before.get(name), now.get(name), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif before != now:
        yield Difference(path or "the whole", before, now)
