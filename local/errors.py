"""Name the errors that end a command of the local stack.

OffpathError
├── CommandRefused   the command cannot be done: the user has something to do first
├── ServiceFailed    a service ended by itself, or did not become ready
└── Interrupted      the user wants the stack to stop
"""

from offpath.contracts.errors import OffpathError


class CommandRefused(OffpathError):
    """A command cannot be done as things are; the message says what to do."""


class ServiceFailed(OffpathError):
    """A service of the stack does not run. service: its name."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(message)
        self.service = service


class Interrupted(OffpathError):
    """The user pressed Ctrl-C, or sent a signal that asks for the same."""
