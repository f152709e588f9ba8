"""Hold the state of one part of a pipeline: well, in need of attention, unknown or skipped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from offpath.contracts.errors import OffpathError
from offpath_cli.errors import first_line

Value = str | int | float | bool | None


class State(StrEnum):
    """Tell whether a part is as it should be. skipped: it cannot be seen from here, and others tell of it."""

    well = "well"
    attention = "attention"
    unknown = "unknown"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what was found of a part. text: for people. values: the same for scripts."""

    part: str
    state: State
    text: str
    values: Mapping[str, Value] = field(default_factory=dict)


def looked_at(part: str, look: Callable[[], Finding]) -> Finding:
    """Return what a look finds, or that it could not be told, with the reason."""
    try:
        return look()
    except OffpathError as error:
        return Finding(part, State.unknown, first_line(error))


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if something asks for attention, 3 if something could not be told, else 0."""
    states = {finding.state for finding in findings}
    return 1 if State.attention in states else 3 if State.unknown in states else 0
