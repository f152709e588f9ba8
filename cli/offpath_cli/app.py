"""The commands of `offpath`: each is a module's function, named here."""

import typer

from offpath_cli.compare.command import compare
from offpath_cli.register.command import register

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(register)
app.command()(compare)


@app.callback()
def offpath() -> None:
    """Serve models from AWS Lambda, and see every prediction in MLflow."""
