"""Register each model of the zoo as far as the registry, and say what became of it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

from mlflow.models import infer_signature

from local.zoo.models import Case
from offpath.contracts.errors import OffpathError
from offpath_cli.errors import AnswersDiffer, CommandError
from offpath_cli.register.candidate import CandidateBuilder
from offpath_cli.register.examples import Records
from offpath_cli.register.model_task import model_task_of
from offpath_cli.register.original import Original
from offpath_cli.register.registration_spec import RegistrationSpec
from training.double_precision.encode import is_missing

Verdict = Literal["served", "refused", "differs", "hangs", "fails", "not fitted"]
_BYTES = 100_000_000


class _TooLong(BaseException):
    """A model took longer than it may."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell what became of a case. compared: the records that both forms answered alike. reason: of a refusal.

    differs: it was refused because its forms differ. hangs, fails: what must never be.
    """

    name: str
    kind: str
    verdict: Verdict
    compared: int = 0
    reason: str = ""
    seconds: float = 0.0


def outcome_of(case: Case, seed: int, seconds: int) -> Outcome:
    """Return what becomes of a case. seconds: that it may take."""
    started = time.monotonic()
    try:
        with _limited(seconds):
            verdict, compared, reason = _tried(case, seed)
    except _TooLong:
        verdict, compared, reason = "hangs", 0, f"over {seconds} seconds"
    return Outcome(case.name, case.kind, verdict, compared, reason, time.monotonic() - started)


def _tried(case: Case, seed: int) -> tuple[Verdict, int, str]:
    try:
        model, data = case.make()
    except (ValueError, TypeError, AttributeError, RuntimeError, NotImplementedError, IndexError) as error:
        return "not fitted", 0, _short(error)
    try:
        found = _registered(model, data.rows, seed)
    except AnswersDiffer as error:
        return "differs", 0, _short(error)
    except (CommandError, OffpathError) as error:
        return "refused", 0, _short(error)
    except Exception as error:
        return "fails", 0, f"{type(error).__name__}: {_short(error)}"
    return "served", found, ""


def _registered(model: Any, rows: Any, seed: int) -> int:
    original = Original("sklearn", model, infer_signature(rows), Records(_records(rows)))
    task = model_task_of(original, RegistrationSpec("zoo", "zoo", "http://127.0.0.1"))
    found = CandidateBuilder(original, task, original.example, _BYTES, seed=seed).build()
    return found.records


def _records(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if not is_missing(value)} for row in rows.to_dict("records")]


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise _TooLong in the block after so many seconds, wherever it is in Python's code."""

    before = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong


def _short(error: BaseException, most: int = 400) -> str:
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= most else line[: most - 1] + "…"
