"""A command's errors end it with a message and an exit code that says what kind of error it was."""

from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from offpath.contracts.errors import ManifestError
from offpath_cli.command_line import command_of
from offpath_cli.errors import CommandError, CouldNotTell, PredictError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """No options."""


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(CommandError("odd"), 1), (PredictError("odd"), 1), (ManifestError("odd"), 1), (CouldNotTell("odd"), 3)],
)
def test_foreseen_error_ends_the_command_with_its_code(error: Exception, exit_code: int) -> None:
    def run(_options: Options) -> None:
        """Fail."""
        raise error

    app = typer.Typer()
    app.command()(command_of(Options, run))
    result = CliRunner().invoke(app)
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", "error: odd\n")


def test_unusable_options_end_with_two() -> None:
    def run(_options: Options) -> None:
        """Do nothing."""

    app = typer.Typer()
    app.command()(command_of(Options, run))
    assert CliRunner().invoke(app, ["--unknown"]).exit_code == 2
