"""Name the commands of `offpath`: the options and the function of each lie in a module of its own."""

import typer

from offpath_cli.command_line import command_of
from offpath_cli.compare.command import CompareOptions, compare
from offpath_cli.register.command import RegisterOptions, register

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(command_of(RegisterOptions, register))
app.command()(command_of(CompareOptions, compare))


@app.callback()
def offpath() -> None:
    """Serve models from AWS Lambda, and see every prediction in MLflow."""
