"""Make commands of functions, and let errors that are foreseen end them with a message."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console

from offpath.contracts.errors import OffpathError
from offpath_cli.errors import CommandError
from training.recipe import TrainingError

Options = TypeVar("Options")


def command_of(options: type[Options], run: Callable[[Options], None]) -> Callable[..., None]:
    """Return a command for Typer: its options are the fields of a dataclass, its name and its help are those of `run`.

    Typer reads options from the parameters of a function. So each field is written as such a parameter would be, with
    its `Annotated` type and its default, and the options travel as one value.
    """

    @functools.wraps(run)
    def command(**given: object) -> None:
        with errors_end_the_command():
            run(options(**given))

    command.__dict__["__signature__"] = inspect.signature(options)
    return command


@contextmanager
def errors_end_the_command() -> Iterator[None]:
    """Print a foreseen error on standard error, without a traceback, and end with its exit code."""
    try:
        yield
    except (CommandError, TrainingError, OffpathError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print("error:", str(error), style="red", markup=False)
        raise typer.Exit(error.exit_code if isinstance(error, CommandError) else 1) from error
