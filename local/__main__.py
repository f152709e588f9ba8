"""`python -m local up`: the whole pipeline on this machine."""

from local.sources import ensure_importable

ensure_importable()

import os  # noqa: E402  (imports below need the folders that the line above sees to)
from collections.abc import Callable  # noqa: E402

import typer  # noqa: E402
from rich.console import Console  # noqa: E402

from local import commands  # noqa: E402
from local.settings import LocalSettings  # noqa: E402
from offpath.contracts.errors import OffpathError  # noqa: E402

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


@app.command()
def status() -> None:
    """Show what runs on this state folder, and where it answers."""
    _exit(commands.status)


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
