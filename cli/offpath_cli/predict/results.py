"""Write predictions as a table or as JSON lines, and rows that were put aside as JSON lines beside them.

Files get their names once they are complete: until then these end in `.part`.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from offpath_cli.errors import PredictError
from offpath_cli.predict.batches import Predicted, Refused, Result
from offpath_cli.predict.rows import CSV, format_of

PART = ".part"


class Writer(Protocol):
    """Writes predictions to a file."""

    def write(self, predicted: Predicted) -> None:
        """Write one row and its prediction."""


class JsonLines:
    """Writes an object a row: the row's own fields, `prediction` and `trace_id`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, predicted: Predicted) -> None:
        """Write one row and its prediction."""
        added = {"prediction": predicted.prediction, "trace_id": predicted.trace_id}
        self._file.write(json.dumps({**predicted.row.given, **added}) + "\n")


class CsvTable:
    """Writes the row's own cells, and beside them label and probabilities, or the value. header: of the row's cells."""

    def __init__(self, file: TextIO, header: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._header = header
        self._added: list[str] = []

    def write(self, predicted: Predicted) -> None:
        """Write one row and its prediction."""
        added = flat(predicted.prediction) | {"trace_id": predicted.trace_id or ""}
        if not self._added:
            self._added = list(added)
            taken = set(self._header)
            self._writer.writerow([*self._header, *(f"predicted_{name}" if name in taken else name for name in added)])
        cells = [predicted.row.given.get(name, "") for name in self._header]
        self._writer.writerow([*cells, *(added[name] for name in self._added)])


def flat(prediction: Any) -> dict[str, Any]:
    """Return a prediction as cells: label, class_index and a probability each, or value."""
    cells: dict[str, Any] = {}
    for name, value in prediction.items():
        if isinstance(value, dict):
            cells |= {f"probability_{label}": share for label, share in value.items()}
        else:
            cells[name] = json.dumps(value) if isinstance(value, list) else value
    return cells


@dataclass(slots=True)
class Results:
    """The files of one run. predicted, refused: how many rows there were of each."""

    path: Path
    header: Sequence[str]
    predicted: int = 0
    refused: int = 0
    _files: dict[Path, TextIO] = field(default_factory=dict)
    _writer: Writer | None = None

    @property
    def refused_path(self) -> Path:
        """Return where rows go that are put aside."""
        return self.path.with_name(f"{self.path.stem}.refused.jsonl")

    def __enter__(self) -> Self:
        """Open the file of predictions."""
        file = self._open(self.path)
        self._writer = CsvTable(file, self.header) if format_of(self.path) == CSV else JsonLines(file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close the files, and give them their names unless something went wrong."""
        for path, file in self._files.items():
            file.close()
            if error is None:
                _part(path).replace(path)

    def add(self, results: Sequence[Result]) -> None:
        """Write results, in their order."""
        assert self._writer is not None
        for result in results:
            if isinstance(result, Predicted):
                self._writer.write(result)
                self.predicted += 1
            else:
                self._refuse(result)
        for file in self._files.values():
            file.flush()

    def _refuse(self, result: Refused) -> None:
        file = self._files.get(self.refused_path) or self._open(self.refused_path)
        told = {"row": result.row.number, "problem": result.problem, "given": result.row.given}
        file.write(json.dumps(told) + "\n")
        self.refused += 1

    def _open(self, path: Path) -> TextIO:
        try:
            self._files[path] = _part(path).open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise PredictError(f"{path} cannot be written: {error.strerror}") from error
        return self._files[path]


def _part(path: Path) -> Path:
    return path.with_name(path.name + PART)


@contextmanager
def kept_on_interrupt(results: Results, first: int) -> Iterator[None]:
    """Say where the results so far are, and how to go on, if the run ends early. first: rows passed over before."""
    try:
        yield
    except (PredictError, KeyboardInterrupt) as error:
        done = first + results.predicted + results.refused
        where = _part(results.path)
        reason = str(error) or "stopped"
        raise PredictError(
            f"{reason}\nThe first {done} rows are done: {where}. To go on with the others, name another --output and "
            f"--skip {done}"
        ) from error
