"""Read files of data that somebody names, and refuse what cannot be used."""

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.recipe import Dataset, Recipe, TrainingError

# How many of the wrong rows a message names.
SHOWN = 5


def check_paths(paths: Sequence[Path]) -> None:
    """Raise TrainingError for a path that does not exist."""
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise TrainingError(f"no such file or folder: {', '.join(missing)} (looked for from {Path.cwd()})")


def read_dataset(recipe: Recipe[Any], paths: Sequence[Path]) -> Dataset | None:
    """Read the files' data; None if there are no paths. Raises TrainingError, also if the recipe takes no files."""
    if not paths:
        return None
    if recipe.read is None:
        raise TrainingError(f"the recipe {recipe.name} brings its own data and reads no files: leave --data out")
    return recipe.read(paths)


def read_text(path: Path) -> str:
    """Read a text file: UTF-8 or UTF-16 by its mark, UTF-8 if it can be that, else ISO 8859-1 (LATIN-1).

    Raises TrainingError for a file that cannot be read, or is not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:  # the last resort, as it decodes any bytes
        text = content.decode("iso-8859-1")
    if "\0" in text:
        raise TrainingError(f"{path} is not a text file: it holds NUL bytes")
    return text


def read_lines(path: Path) -> list[str]:
    """Read a text file's lines, without their ends. Raises TrainingError as `read_text`.

    Lines end with LF or CR LF. Python's splitlines knows other ends, which are found inside sentences.
    """
    return [line.removesuffix("\r") for line in read_text(path).split("\n")]


def refuse_rows(name: str, rows: int, wrong: Sequence[tuple[int, str]]) -> None:
    """Raise TrainingError if rows are wrong, with their number and the first ones' lines and reasons."""
    if wrong:
        first = "; ".join(f"line {line}: {reason}" for line, reason in wrong[:SHOWN])
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise TrainingError(f"{name}: {len(wrong)} of {rows} rows cannot be used: {first}{more}. Mend or remove them")


def _encoding(content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked else "utf-8-sig"
