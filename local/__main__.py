"""Run or stop the local stack: `python -m local up`. `offpath status` shows it."""

import os
from collections.abc import Callable

import typer
from rich.console import Console

from local import commands
from local.settings import LocalSettings
from offpath.contracts.errors import OffpathError

app = typer.Typer(
    help="The whole pipeline on this machine, on 127.0.0.1 only. OFFPATH_HOME holds its state (default: .offpath).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up() -> None:
    """Start everything, send one prediction, and run until Ctrl-C."""
    _exit(lambda settings, console: commands.up(settings, dict(os.environ), console))


@app.command()
def down() -> None:
    """Stop the stack that runs on this state folder, as Ctrl-C does."""
    _exit(commands.down)


def _exit(command: Callable[[LocalSettings, Console], int]) -> None:
    console = Console(highlight=False)
    try:
        code = command(LocalSettings.load(os.environ), console)
    except OffpathError as error:
        console.print(f"[bold red]✗[/bold red] {error}", soft_wrap=True)
        code = 1
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m local")
