"""Run `make zoo`: register every estimator of scikit-learn as far as the registry, and write the table of the docs."""

import sys
from collections import Counter
from random import SystemRandom
from typing import Annotated

import typer

from local.zoo.models import cases
from local.zoo.run import Outcome, outcome_of
from local.zoo.table import write

_SECONDS = 120
_BAD = {"hangs", "fails"}


def main(
    only: Annotated[str, typer.Option(help="Only cases with this in their name, and no table.")] = "",
    seed: Annotated[int | None, typer.Option(help="Of the records that are drawn.", show_default="a new one")] = None,
) -> None:
    """Print what becomes of each model; end with 1 if one hangs or fails."""
    seed = SystemRandom().randrange(2**31) if seed is None else seed
    typer.echo(f"seed {seed}")
    outcomes = []
    for case in cases():
        if only in f"{case.name}, {case.kind}":
            outcomes.append(outcome := outcome_of(case, seed, _SECONDS))
            typer.echo(_line(outcome))
    typer.echo(str(dict(Counter(outcome.verdict for outcome in outcomes))))
    if not only:
        write(outcomes)
    sys.exit(any(outcome.verdict in _BAD for outcome in outcomes))


def _line(outcome: Outcome) -> str:
    return (
        f"{outcome.verdict:10} {outcome.name:32} {outcome.kind:15} {outcome.compared:5} {outcome.seconds:5.1f} s  "
        f"{outcome.reason[:200]}"
    )


if __name__ == "__main__":
    typer.run(main)
