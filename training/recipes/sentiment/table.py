"""Reviews with their labels in one table: CSV, TSV, or sentences with a label behind a tab and no header."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.files import read_lines, read_text, refuse_rows
from training.recipes.recipe import TrainingError
from training.recipes.sentiment.labels import EXPECTED, class_index

TEXT_NAMES = ("text", "review", "sentence", "comment", "phrase")
LABEL_NAMES = ("label", "sentiment", "polarity", "class", "target")
_MAX_FIELD = 10_000_000  # the csv module's own limit is 128 kB; a process has one

Row = tuple[int, list[str]]  # its last line, its fields


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    text: int
    label: int
    has_header: bool


def read_table(path: Path) -> tuple[list[str], list[int]]:
    """Texts and class indexes, in the file's order. Raises TrainingError that names columns or lines."""
    rows = list(_rows(path))
    if not rows:
        raise TrainingError(f"{path} is empty: expected a text and a label in each row")
    layout = _layout(path, rows[0][1])
    records = rows[1:] if layout.has_header else rows
    complaints = [(line, _complaint(fields, layout)) for line, fields in records]
    refuse_rows(path.name, len(records), [(line, reason) for line, reason in complaints if reason])
    labels = [class_index(fields[layout.label]) for _, fields in records]
    return [fields[layout.text].strip() for _, fields in records], [label for label in labels if label is not None]


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
    if len(first) == 2 and class_index(first[1]) is not None:
        return _Layout(2, 0, 1, has_header=False)
    shown = ", ".join(repr(field[:40]) for field in first[:10])
    raise TrainingError(
        f"{path}: the first row is {shown}; expected a column of texts ({', '.join(TEXT_NAMES)}) and one of labels "
        f"({', '.join(LABEL_NAMES)}), or no header, and in each row a text and then its label ({EXPECTED})"
    )


def _complaint(fields: Sequence[str], layout: _Layout) -> str:
    if len(fields) != layout.width:
        return f"{len(fields)} columns, expected {layout.width}"
    if not fields[layout.text].strip():
        return "no text"
    if class_index(fields[layout.label]) is None:
        return f"label {fields[layout.label][:40]!r}, expected one of {EXPECTED}"
    return ""
