"""Read, convert and compare a model in a process of its own, with bounds on its time and its memory.

A converter may loop for ever, and reading a model runs whatever code it holds.
"""

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from typing import TypeAlias

from offpath.contracts.errors import OffpathError
from offpath_cli.errors import CommandError, ModelRefused, first_line
from offpath_cli.register.built import Built
from offpath_cli.register.registration_spec import RegistrationSpec
from training.callbacks import Report
from training.recipe import TrainingError

Build: TypeAlias = Callable[[RegistrationSpec, int, Report], Built]

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Reported:
    """Tell what the process does next."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Tell why there is no model."""

    reason: str


Message: TypeAlias = Reported | Failed | Built


def build_apart(build: Build, spec: RegistrationSpec, max_bytes: int, report: Report) -> Built:
    """Return what `build` returns, from another process.

    Raises ModelRefused with what it was doing when its time or its memory was over, or when it ended by itself.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, build, spec, max_bytes), daemon=True)
    process.start()
    theirs.close()
    try:
        return _Reader(ours, spec, report).result()
    finally:
        process.kill()
        process.join()


@dataclass(slots=True)
class _Reader:
    """Read what the process tells, until its time is over."""

    connection: Connection
    spec: RegistrationSpec
    report: Report
    doing: str = "starting"

    def result(self) -> Built:
        deadline = monotonic() + self.spec.time_limit
        while True:
            if not self.connection.poll(max(0.0, deadline - monotonic())):
                raise ModelRefused(
                    f"it was ended after {self.spec.time_limit} seconds, while {self.doing}: a larger --time-limit may "
                    "be enough; if not, the converter does not come to an end with this model: convert it in another "
                    "way, and register the .onnx file"
                )
            match self._received():
                case Built() as built:
                    return built
                case Failed(reason):
                    raise ModelRefused(reason)
                case Reported(text):
                    self.doing = text
                    self.report(text)

    def _received(self) -> Message:
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError) as error:
            raise ModelRefused(
                f"the process that was {self.doing} ended without a word: the system may have ended it for its memory, "
                f"which --memory-limit bounds (now {self.spec.memory_limit} MB)"
            ) from error
        return message


def _work(connection: Connection, build: Build, spec: RegistrationSpec, max_bytes: int) -> None:
    """Build in this process. What libraries print goes nowhere: what matters is told by messages."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    size = spec.memory_limit * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    doing = ["starting"]

    def report(text: str) -> None:
        doing[0] = text
        connection.send(Reported(text))

    try:
        connection.send(build(spec, max_bytes, report))
    except MemoryError:
        connection.send(
            Failed(f"{spec.memory_limit} MB were not enough while {doing[0]}: give it more by --memory-limit")
        )
    except (CommandError, OffpathError, TrainingError) as error:
        connection.send(Failed(str(error)))
    except BaseException as error:  # a model's code may raise anything, or exit
        connection.send(Failed(f"{type(error).__name__} while {doing[0]}: {first_line(error) or 'without a message'}"))
