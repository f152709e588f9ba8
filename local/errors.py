"""What ends a command of the local stack.

OffpathError
├── Refused       nothing was started: the user has something to do first
├── PartFailed    a part ended by itself, or did not become ready
└── Interrupted   the user wants it to stop
"""

from offpath.contracts.errors import OffpathError


class Refused(OffpathError):
    """A start is not possible as things are; the message says what to do."""


class PartFailed(OffpathError):
    """A part of the stack does not run. part: its name."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


class Interrupted(OffpathError):
    """Ctrl-C, or a signal that asks for the same."""
