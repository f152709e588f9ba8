"""What the terminal shows: the steps of the start, the parts' lines behind their names, and what is awaited."""

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.status import Status
from rich.text import Text

from local.stack.log_lines import for_terminal

STYLES = {
    "api": "cyan",
    "writer": "green",
    "sync": "blue",
    "train": "magenta",
    "worker": "magenta",
    "mlflow": "yellow",
    "sqs": "bright_black",
    "s3": "bright_black",
}
NAME_WIDTH = 6


class Screen(Protocol):
    """Where progress is shown."""

    def step(self, text: str) -> None:
        """Something was done."""

    def trouble(self, text: str) -> None:
        """Something is wrong."""

    def ready(self, name: str, text: str) -> None:
        """A part does its work, or has done it."""

    def waiting(self, for_what: Sequence[str]) -> None:
        """What is awaited now; empty: nothing."""

    def line(self, name: str, text: str) -> None:
        """A line that a part wrote. Called from other threads."""


class Terminal:
    """A terminal, or a file: then without colours and without the line that moves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._ready: set[str] = set()

    def step(self, text: str) -> None:
        """Something was done."""
        self._print(f"[green]✓[/green] {escape(text)}")

    def trouble(self, text: str) -> None:
        """Something is wrong."""
        first, *rest = text.splitlines()
        self._print("\n".join([f"[bold red]✗[/bold red] {escape(first)}", *(escape(line) for line in rest)]))

    def ready(self, name: str, text: str) -> None:
        """A part does its work, or has done it."""
        self._ready.add(name)
        self._print(f"[green]✓[/green] {name:{NAME_WIDTH}} {escape(text)}")

    def waiting(self, for_what: Sequence[str]) -> None:
        """One line at the bottom, with a spinner; none where the output is not a terminal."""
        if not self._console.is_terminal:
            return
        if not for_what:
            self._end_status()
        elif self._status is None:
            self._status = self._console.status("")
            self._status.start()
        if self._status is not None:
            self._status.update(Text(" · ".join(for_what)))

    def line(self, name: str, text: str) -> None:
        """The line behind its part's name, if it is worth a look."""
        shown = for_terminal(name, text, name in self._ready)
        if shown is not None:
            style = STYLES.get(name, "white")
            self._print(f"[{style}]{name:{NAME_WIDTH}} |[/{style}] {escape(shown)}")

    def closing(self, title: str, text: str) -> None:
        """A closing word; the text is markup. No frame around it: its lines are there to be copied."""
        self._end_status()
        self._print(
            Rule(f"[bold green]{title}[/bold green]", align="left") if self._console.is_terminal else f"\n{title}"
        )
        self._print(f"{text}\n")

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, what: object) -> None:
        try:
            self._console.print(what, soft_wrap=isinstance(what, str))
        except OSError:  # the terminal was closed: a stop goes on all the same
            return
