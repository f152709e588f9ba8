"""Show on the terminal the steps of the start, the services' lines behind their names, and what is awaited."""

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
    """Show progress."""

    def step(self, text: str) -> None:
        """Show that something was done."""

    def problem(self, text: str) -> None:
        """Show that something is wrong."""

    def ready(self, name: str, text: str) -> None:
        """Show that a service does its work, or has done it."""

    def waiting(self, for_what: Sequence[str]) -> None:
        """Show what is awaited now; nothing, if it is empty."""

    def line(self, name: str, text: str) -> None:
        """Show a line that a service wrote. It is called from other threads."""


class Terminal:
    """Show progress on a terminal, or in a file: then without colours and without the line that moves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._ready: set[str] = set()

    def step(self, text: str) -> None:
        """Show that something was done."""
        self._print(f"[green]✓[/green] {escape(text)}")

    def problem(self, text: str) -> None:
        """Show that something is wrong."""
        first, *rest = text.splitlines()
        self._print("\n".join([f"[bold red]✗[/bold red] {escape(first)}", *(escape(line) for line in rest)]))

    def ready(self, name: str, text: str) -> None:
        """Show that a service does its work, or has done it."""
        self._ready.add(name)
        self._print(f"[green]✓[/green] {name:{NAME_WIDTH}} {escape(text)}")

    def waiting(self, for_what: Sequence[str]) -> None:
        """Show one line at the bottom, with a spinner; none where the output is not a terminal."""
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
        """Show the line behind its service's name, if it is worth showing."""
        shown = for_terminal(name, text, name in self._ready)
        if shown is not None:
            style = STYLES.get(name, "white")
            self._print(f"[{style}]{name:{NAME_WIDTH}} |[/{style}] {escape(shown)}")

    def summary(self, title: str, text: str) -> None:
        """Show a title and a text, which is markup. It has no frame: its lines are there to be copied."""
        self._end_status()
        self._print(
            Rule(f"[bold green]{title}[/bold green]", align="left") if self._console.is_terminal else f"\n{title}"
        )
        self._print(f"{text}\n")

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, shown: object) -> None:
        try:
            self._console.print(shown, soft_wrap=isinstance(shown, str))
        except OSError:  # the terminal was closed: a stop goes on all the same
            return
