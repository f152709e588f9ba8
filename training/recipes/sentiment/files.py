"""Reviews from files: a table with a label in each row, or two files of lines, positive ones and negative ones."""

import re
from collections.abc import Sequence
from pathlib import Path

from training.data.files import read_lines
from training.data.frames import dataset
from training.recipes.recipe import Dataset, TrainingError
from training.recipes.sentiment.table import read_table

_SIDES = ("neg", "pos")
# pos.txt, positive.csv, rt-polarity.pos, reviews_pos.txt; not compose.txt.
_NAMED = {side: re.compile(rf"^{side}|[._-]{side}(ative|itive)?([._-]|$)", re.IGNORECASE) for side in _SIDES}


def read(paths: Sequence[Path]) -> Dataset:
    """The reviews of one table, one folder with the two files, or the two files. Raises TrainingError."""
    if len(paths) == 1 and not paths[0].is_dir() and paths[0].suffix not in (".neg", ".pos"):
        texts, target = read_table(paths[0])
        return dataset({"text": texts}, target, paths[0].name, synthetic=False)
    negative, positive = _pair(paths)
    groups = [_sentences(path) for path in (negative, positive)]
    return dataset(
        {"text": [text for group in groups for text in group]},
        [index for index, group in enumerate(groups) for _ in group],
        f"{negative.name} and {positive.name}",
        synthetic=False,
    )


def _pair(paths: Sequence[Path]) -> list[Path]:
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [_one_side(side, files, paths) for side in _SIDES]


def _one_side(side: str, files: Sequence[Path], paths: Sequence[Path]) -> Path:
    found = [file for file in files if file.is_file() and _NAMED[side].search(file.name)]
    if len(found) != 1:
        what = f"{len(found)} files ({', '.join(file.name for file in found[:5])})" if found else "no file"
        raise TrainingError(
            f"{', '.join(map(str, paths))}: {what} named *.{side} or {side}*; expected one file of negative lines "
            "(*.neg, neg*) and one of positive lines (*.pos, pos*)"
        )
    return found[0]


def _sentences(path: Path) -> list[str]:
    """A sentence a line; blank lines are passed over."""
    sentences = [line.strip() for line in read_lines(path) if line.strip()]
    if not sentences:
        raise TrainingError(f"{path} is empty: expected a sentence a line")
    return sentences
