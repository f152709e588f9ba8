"""Report what a training does, and ask before it registers a version."""

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[str], None]
ReportProgress = Callable[[int, int], None]


def ignore_report(text: str) -> None:
    """Report a line to nobody."""


def ignore_progress(done: int, total: int) -> None:
    """Report progress to nobody."""


def no_confirmation() -> None:
    """Let a version be registered."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Functions that a training calls.

    report: with a line about each step. progress: with the parts that are done, and how many there are. confirm: before
    a version is registered; it does not return if there is to be none.
    """

    report: Report = ignore_report
    progress: ReportProgress = ignore_progress
    confirm: Callable[[], None] = no_confirmation


NO_CALLBACKS = Callbacks()
