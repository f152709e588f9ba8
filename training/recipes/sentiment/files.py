"""Read reviews from files: a table with a label in each row, or a file of positive and one of negative lines.

A table is CSV, TSV, or lines of a sentence, a tab and a label without a header.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.dataset import make_dataset
from training.data.files import read_lines, read_text, refuse_rows
from training.recipe import Dataset, TrainingError

LABELS = ("negative", "positive")
TEXT_NAMES = ("text", "review", "sentence", "comment", "phrase")
LABEL_NAMES = ("label", "sentiment", "polarity", "class", "target")
_CLASS_INDEXES = {"0": 0, "1": 1, "neg": 0, "pos": 1, "negative": 0, "positive": 1}
_EXPECTED_LABELS = ", ".join(_CLASS_INDEXES)
_MAX_FIELD = 10_000_000  # the csv module's own limit is 128 kB; a process has one
# pos.txt, positive.csv, rt-polarity.pos, reviews_pos.txt; not compose.txt.
_FILE_NAMES = {
    side: re.compile(rf"^{side}|[._-]{side}(ative|itive)?([._-]|$)", re.IGNORECASE) for side in ("neg", "pos")
}

Row = tuple[int, list[str]]  # its last line, its fields


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of a table. width: their number. text, label: the indexes of two of them."""

    width: int
    text: int
    label: int
    has_header: bool


def read(paths: Sequence[Path]) -> Dataset:
    """Read the reviews of one table, one folder with the two files, or the two files. Raises TrainingError."""
    if len(paths) == 1 and not paths[0].is_dir() and paths[0].suffix not in (".neg", ".pos"):
        return _read_table(paths[0])
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    negative, positive = (_find_side(side, files, paths) for side in _FILE_NAMES)
    groups = [_read_sentences(negative), _read_sentences(positive)]
    texts = [text for group in groups for text in group]
    target = [index for index, group in enumerate(groups) for _ in group]
    return make_dataset({"text": texts}, target, f"{negative.name} and {positive.name}", synthetic=False)


def _find_side(side: str, files: Sequence[Path], paths: Sequence[Path]) -> Path:
    found = [file for file in files if file.is_file() and _FILE_NAMES[side].search(file.name)]
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:5])
        count = f"{len(found)} files ({names})" if found else "no file"
        raise TrainingError(
            f"{', '.join(map(str, paths))}: {count} named *.{side} or {side}*; expected one file of negative lines "
            "(*.neg, neg*) and one of positive lines (*.pos, pos*)"
        )
    return found[0]


def _read_sentences(path: Path) -> list[str]:
    """Read a sentence a line; blank lines are passed over."""
    sentences = [line.strip() for line in read_lines(path) if line.strip()]
    if not sentences:
        raise TrainingError(f"{path} is empty: expected a sentence a line")
    return sentences


def _read_table(path: Path) -> Dataset:
    rows = list(_rows(path))
    if not rows:
        raise TrainingError(f"{path} is empty: expected a text and a label in each row")
    layout = _layout(path, rows[0][1])
    records = rows[1:] if layout.has_header else rows
    complaints = [(line, _complaint(fields, layout)) for line, fields in records]
    refuse_rows(path.name, len(records), [(line, reason) for line, reason in complaints if reason])
    texts = [fields[layout.text].strip() for _, fields in records]
    target = [_class_index(fields[layout.label]) for _, fields in records]
    return make_dataset({"text": texts}, target, path.name, synthetic=False)


def _rows(path: Path) -> Iterator[Row]:
    lines = read_lines(path)
    if path.suffix.lower() == ".tsv" or "\t" in lines[0]:
        # Quotes are the sentences' own here: many such files have some that are never closed.
        return ((number, line.split("\t")) for number, line in enumerate(lines, start=1) if line.strip())
    return _csv_rows(path)


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield reader.line_num, fields
    except csv.Error as error:
        raise TrainingError(f"{path}, line {reader.line_num}: not CSV: {error}") from error


def _layout(path: Path, first: Sequence[str]) -> _Layout:
    names = [field.strip().lower() for field in first]
    text = next((names.index(name) for name in TEXT_NAMES if name in names), None)
    label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
    if text is not None and label is not None:
        return _Layout(len(first), text, label, has_header=True)
    if len(first) == 2 and _class_index(first[1]) is not None:
        return _Layout(2, 0, 1, has_header=False)
    shown = ", ".join(repr(field[:40]) for field in first[:10])
    raise TrainingError(
        f"{path}: the first row is {shown}; expected a column of texts ({', '.join(TEXT_NAMES)}) and one of labels "
        f"({', '.join(LABEL_NAMES)}), or no header, and in each row a text and then its label ({_EXPECTED_LABELS})"
    )


def _complaint(fields: Sequence[str], layout: _Layout) -> str:
    if len(fields) != layout.width:
        return f"{len(fields)} columns, expected {layout.width}"
    if not fields[layout.text].strip():
        return "no text"
    if _class_index(fields[layout.label]) is None:
        return f"label {fields[layout.label][:40]!r}, expected one of {_EXPECTED_LABELS}"
    return ""


def _class_index(text: str) -> int | None:
    """Return the index in LABELS, or None for a text that is no label."""
    return _CLASS_INDEXES.get(text.strip().lower())
