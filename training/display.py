"""Show somebody who waits for a training how far it is."""

import time
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Display:
    """Print lines that stay, and below them one that moves: how far the training is, and for how long.

    The moving line is left out where there is no terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._live.add_task("working", total=None)
        self._training: TaskID | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def report(self, text: str) -> None:
        """Print a line that stays, with the seconds since the beginning."""
        self._console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/dim]  {text}", markup=True)
        if self._training is not None:
            self._live.remove_task(self._training)
            self._training = None

    def ask(self, text: str, is_advised: bool) -> bool:
        """Show what there is to know, and return the answer to whether the new version becomes champion."""
        self._live.stop()
        self._console.print(text, markup=False)
        answer = typer.confirm("Make the new version champion?", default=is_advised)
        self._live.start()
        return answer

    def progress(self, done: int, total: int) -> None:
        """Show how far the training is, until the next line that stays."""
        if self._training is None:
            self._training = self._live.add_task("training", total=total)
        self._live.update(self._training, completed=done, total=total)
