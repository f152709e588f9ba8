"""Deploy the stack to an emulator on this machine, or remove it: `python -m local.deployed up`."""

import os
from collections.abc import Callable

import typer
from rich.console import Console

from local.deployed import commands
from local.deployed.settings import DeployedSettings
from offpath.contracts.errors import OffpathError

app = typer.Typer(
    help="The stack of template.yaml, deployed to an emulator of AWS that nothing beyond this machine reaches.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up() -> None:
    """Deploy what make build built, send one prediction, and say where everything is. It goes on running."""
    _exit(commands.up)


@app.command()
def down() -> None:
    """Remove the deployment: its processes, containers, network and folder."""
    _exit(commands.down)


def _exit(command: Callable[[DeployedSettings, Console], int]) -> None:
    console = Console(highlight=False, emoji=False)
    try:
        code = command(DeployedSettings.load(os.environ), console)
    except OffpathError as error:
        console.print(f"[bold red]✗[/bold red] {error}", soft_wrap=True)
        code = 1
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m local.deployed")
