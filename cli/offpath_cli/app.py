"""Name the commands of `offpath`: the options and the function of each lie in a module of its own."""

import typer

from offpath_cli.audit.command import AuditOptions, audit
from offpath_cli.champion.command import PromoteOptions, RollbackOptions, promote, rollback
from offpath_cli.command_line import command_of
from offpath_cli.compare.command import CompareOptions, compare
from offpath_cli.dead_letters.command import (
    ListOptions,
    SettleOptions,
    ShowOptions,
    dead_letters,
    drop,
    redrive,
    show,
)
from offpath_cli.predict.command import PredictOptions, predict_file
from offpath_cli.register.command import RegisterOptions, register
from offpath_cli.replay.command import replay
from offpath_cli.replay.options import ReplayOptions
from offpath_cli.rerun.command import RerunOptions, rerun
from offpath_cli.status.command import StatusOptions, status
from training.command import train

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(command_of(RegisterOptions, register))
app.command()(command_of(CompareOptions, compare))
app.command()(command_of(AuditOptions, audit))
app.command("predict")(command_of(PredictOptions, predict_file))
app.command()(train)
app.command()(command_of(PromoteOptions, promote))
app.command()(command_of(RollbackOptions, rollback))
app.command()(command_of(StatusOptions, status))
letters = typer.Typer(invoke_without_command=True, callback=command_of(ListOptions, dead_letters))
letters.command()(command_of(ShowOptions, show))
letters.command()(command_of(SettleOptions, redrive))
letters.command()(command_of(SettleOptions, drop))
app.add_typer(letters, name="dead-letters")
app.command()(command_of(ReplayOptions, replay))
trace = typer.Typer(no_args_is_help=True, help="Look into one trace.")
trace.command()(command_of(RerunOptions, rerun))
app.add_typer(trace, name="trace")


@app.callback()
def offpath() -> None:
    """Serve models from AWS Lambda, and see every prediction in MLflow."""
