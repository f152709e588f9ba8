"""Read abalone from the UCI file, or make a sample up.

The file has a shell a line and no header: sex, seven measures, rings; lengths in mm and weights in grams, each divided
by 200. Two of its shells have the height 0: they are taken as they are.
"""

import random
from collections.abc import Sequence
from math import exp, isfinite
from pathlib import Path

from training.data.dataset import make_dataset
from training.data.files import read_lines, refuse_rows
from training.recipe import Dataset, TrainingError

SEXES = ("F", "I", "M")
MEASURES = {
    "length": "longest measure of the shell, in mm / 200",
    "diameter": "measure across the length, in mm / 200",
    "height": "height with the meat in the shell, in mm / 200",
    "whole_weight": "weight of the whole abalone, in g / 200",
    "shucked_weight": "weight of the meat, in g / 200",
    "viscera_weight": "weight of the gut after bleeding, in g / 200",
    "shell_weight": "weight of the dried shell, in g / 200",
}
TARGET = "rings"
COLUMNS = ("sex", *MEASURES, TARGET)
MAX_VALUE = 5.0  # a metre, or a kilogram: a larger value was not divided by 200
SAMPLE_ROWS = 2_000
_SEED = 20_240_501

Shell = tuple[str, list[float], int]


def read(paths: Sequence[Path]) -> Dataset:
    """Read the UCI file; a header with the columns' names in its order may come first. Raises TrainingError."""
    if len(paths) != 1 or paths[0].is_dir():
        raise TrainingError(f"{', '.join(map(str, paths))}: expected one file, the UCI file abalone.data")
    [path] = paths
    rows = [(number, line.split(",")) for number, line in enumerate(read_lines(path), start=1) if line.strip()]
    if rows and _check_first(path, rows[0][1]):
        rows = rows[1:]
    complaints = [(number, _complaint(fields)) for number, fields in rows]
    refuse_rows(path.name, len(rows), [(number, reason) for number, reason in complaints if reason])
    return _dataset([_shell(fields) for _, fields in rows], path.name, synthetic=False)


def _check_first(path: Path, fields: Sequence[str]) -> bool:
    """Tell whether the first row is a header. Raises TrainingError for columns that are not the file's."""
    names = [field.strip().lower().replace(" ", "_") for field in fields]
    header = len(names) > 1 and names[0] not in ("m", "f", "i") and not any(map(_is_number, names))
    if len(names) != len(COLUMNS) or (header and tuple(names) != COLUMNS):
        given = ", ".join(repr(field.strip()[:40]) for field in fields[:10])
        raise TrainingError(
            f"{path}: the first row has {len(names)} columns ({given}); "
            f"expected these {len(COLUMNS)}: {', '.join(COLUMNS)}"
        )
    return header


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _complaint(fields: Sequence[str]) -> str:
    if len(fields) != len(COLUMNS):
        return f"{len(fields)} columns, expected {len(COLUMNS)}"
    if fields[0].strip().upper() not in SEXES:
        return f"sex {fields[0].strip()!r}, expected M, F or I"
    for name, text in zip(MEASURES, fields[1:-1], strict=True):
        if not _is_number(text) or not isfinite(float(text)) or not 0 <= float(text) <= MAX_VALUE:
            return f"{name} {text.strip()!r}, expected a number from 0 to {MAX_VALUE:g}: mm or g, divided by 200"
    if not fields[-1].strip().isdecimal() or int(fields[-1]) < 1:
        return f"rings {fields[-1].strip()!r}, expected a whole number from 1 on"
    return ""


def _shell(fields: Sequence[str]) -> Shell:
    return fields[0].strip().upper(), [float(text) for text in fields[1:-1]], int(fields[-1])


def _dataset(shells: Sequence[Shell], source: str, *, synthetic: bool) -> Dataset:
    columns: dict[str, Sequence[str] | Sequence[float]] = {"sex": [sex for sex, _, _ in shells]}
    columns |= {name: [measures[at] for _, measures, _ in shells] for at, name in enumerate(MEASURES)}
    return make_dataset(columns, [float(rings) for *_, rings in shells], source, synthetic=synthetic)


def sample() -> Dataset:
    """Return 2,000 made-up shells, the same ones each time."""
    random_numbers = random.Random(_SEED)  # noqa: S311  nothing is kept secret by it
    shells = [_grow(random_numbers) for _ in range(SAMPLE_ROWS)]
    return _dataset(shells, "shells generated for this project", synthetic=True)


def _grow(random_numbers: random.Random) -> Shell:
    """Make one shell up. Growth slows down with age (von Bertalanffy), weights go with the cube of the length."""
    varied = random_numbers.gauss
    rings = max(1, min(29, round(random_numbers.gammavariate(9.5, 1.05))))
    length = max(0.08, 0.66 * (1 - exp(-0.24 * (rings + 0.2))) * varied(1, 0.11))
    whole = 5.0 * length**3 * max(0.5, varied(1, 0.10)) + 0.002
    sizes = [length, length * varied(0.79, 0.02), length * varied(0.27, 0.025)]
    # An older shell is heavier for its size, and its meat lighter.
    weights = [share * whole * max(0.3, varied(1, 0.09)) for share in (0.47 - 0.005 * rings, 0.22, 0.2 + 0.009 * rings)]
    infant = random_numbers.random() < 1 / (1 + exp(0.9 * (rings - 7.5)))
    sex = "I" if infant else random_numbers.choice("MF")
    return sex, [round(value, 4) for value in (*sizes, whole, *weights)], rings
