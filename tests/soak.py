"""`python -m tests.soak`: run the suite again and again, on an idle machine and on a busy one, in two orders.

What wins only because something else is slow, or because another test ran before it, loses here sooner or later.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from local.sources import ROOT

# As `make test` runs it; a plugin that shuffles is left out, as the order is drawn here.
PYTEST = (
    *(sys.executable, "-m", "pytest", "-p", "no:randomly", "-q"),
    *("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
)
# It ends with this command, even if that is killed.
BURN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"
HIGHEST_SEED = 2**32


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the suite. busy: all processors have other work. seed: of its order; None: as in the files."""

    busy: bool
    seed: int | None

    def __str__(self) -> str:
        order = "in the order of the files" if self.seed is None else f"in the order of --order-seed {self.seed}"
        return f"{'busy' if self.busy else 'idle'}, {order}"


def plan(count: int, seed: int) -> list[Run]:
    """Return so many runs: idle and busy by turns, and two of each order by turns, drawn from the seed."""
    chance = random.Random(seed)
    return [
        Run(number % 2 == 1, chance.randrange(HIGHEST_SEED) if number % 4 >= 2 else None) for number in range(count)
    ]


@contextmanager
def busy() -> Iterator[None]:
    """Keep every processor busy, by stress-ng where that is installed, as long as the block lasts."""
    count = os.cpu_count() or 1
    stress = shutil.which("stress-ng")
    commands = (
        [[stress, "--quiet", "--cpu", str(count), "--io", "1", "--timeout", "6h"]]
        if stress
        else [[sys.executable, "-c", BURN]] * count
    )
    with ExitStack() as stack:
        for command in commands:
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            stack.callback(process.terminate)
        yield


def passes(run: Run, arguments: Sequence[str], log: Path) -> bool:
    """Run the suite so, with more arguments for pytest; whether it passed."""
    order = () if run.seed is None else ("--order-seed", str(run.seed))
    with ExitStack() as stack:
        sink = stack.enter_context(log.open("wb"))
        if run.busy:
            stack.enter_context(busy())
        command = [*PYTEST, *order, *arguments]
        return subprocess.run(command, cwd=ROOT, stdout=sink, stderr=sink, check=False).returncode == 0


def main(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="What pytest gets beside; the whole suite if nothing.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="How often the suite runs.")] = 10,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the orders that are drawn; drawn itself if not given.")
    ] = None,
) -> None:
    """Run the suite so often, and say of each run whether it passed and where its output is."""
    folder = Path(tempfile.mkdtemp(prefix="offpath-soak-"))
    failed = 0
    for number, run in enumerate(plan(runs, random.randrange(HIGHEST_SEED) if seed is None else seed), start=1):
        log = folder / f"run-{number}.log"
        passed = passes(run, arguments or [], log)
        failed += not passed
        typer.echo(f"{number} of {runs}: {run}: {summary(log)}{'' if passed else f'; see {log}'}")
    typer.echo(f"{runs - failed} of {runs} runs passed")
    raise typer.Exit(min(failed, 1))


def summary(log: Path) -> str:
    """Return the line in which pytest counts the results of a run."""
    found = re.findall(
        r"^.*\d+ (?:passed|failed|error|skipped|deselected).* in .*$", log.read_text(errors="replace"), re.MULTILINE
    )
    return found[-1].strip(" =") if found else "it did not come to an end"


if __name__ == "__main__":
    typer.run(main)
