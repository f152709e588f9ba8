"""The small data that the zoo's models learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

pd: Any = import_module("pandas")  # it is not typed

ROWS = 90
NUMBERS = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Data:
    """Hold rows, and targets of each kind. classes: three, by name. two: of two, by number. values: to regress."""

    rows: Any
    classes: Any
    two: Any
    values: Any


def numbers(seed: int, *, positive: bool = False, missing: bool = False) -> Data:
    """Return four columns of numbers: fractions on a grid, and whole ones."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({name: random.normal(0, 2, ROWS).round(2) for name in NUMBERS})
    rows["d"] = random.integers(0, 6, ROWS).astype(float)
    if positive:
        rows = rows.abs()
    signal = rows.a + rows.b.abs() - rows.d / 3 + random.normal(0, 0.3, ROWS)
    if missing:
        rows = rows.mask(random.random(rows.shape) < 0.1)
    return _with_targets(rows, signal)


def mixed(seed: int) -> Data:
    """Return columns of numbers, texts and booleans, with values missing among both kinds."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "sepal length (cm)": random.normal(5, 1, ROWS).round(1),
            "home-dest": random.integers(0, 9, ROWS).astype(float),
            "Größe": random.choice(["klein", "groß", "mittel"], ROWS).astype(object),
            "label": random.choice(["x", "y"], ROWS).astype(object),
        }
    )
    signal = rows["sepal length (cm)"] - rows["home-dest"] / 4 + (rows["Größe"] == "groß") + random.normal(0, 0.3, ROWS)
    rows.loc[random.random(ROWS) < 0.1, "home-dest"] = np.nan
    rows["Größe"] = rows["Größe"].astype(object).where(random.random(ROWS) >= 0.1, np.nan)
    return _with_targets(rows, signal)


def texts(seed: int) -> Data:
    """Return one column of short texts, with accents among them."""
    random = np.random.default_rng(seed)
    words = ["good", "goodé", "bad", "Ünder", "naïve", "film", "don't", "well-made", "7", "a", "the", "crème"]
    rows = pd.DataFrame({"text": [" ".join(random.choice(words, random.integers(1, 8))) for _ in range(ROWS)]})
    signal = rows.text.str.count("good") - rows.text.str.count("bad") + random.normal(0, 0.3, ROWS)
    return _with_targets(rows, signal)


def _with_targets(rows: Any, signal: Any) -> Data:
    ranks: Sequence[int] = pd.qcut(signal, 3, labels=False).tolist()
    names = np.array(["low", "middle", "high"], object)[ranks]
    return Data(rows, names, (signal > signal.median()).astype(int).to_numpy() + 1, signal.to_numpy().round(3))
