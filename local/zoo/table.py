"""The table of docs/models.md that tells what becomes of scikit-learn's estimators."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from local.zoo.run import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
_BEGIN, _END = "<!-- zoo: written by make zoo -->", "<!-- end of zoo -->"
_MOST = 160


def table_of(outcomes: Sequence[Outcome]) -> str:
    """Return how many are served, a list of them, and a row for each that is not, with its reason."""
    served = [outcome for outcome in outcomes if outcome.verdict == "served"]
    fitted = [outcome for outcome in outcomes if outcome.verdict != "not fitted"]
    rows = [
        f"| `{outcome.name}` | {outcome.kind} | {_reason(outcome)} |"
        for outcome in fitted
        if outcome.verdict != "served"
    ]
    least = min((outcome.compared for outcome in served), default=0)
    return "\n".join(
        [
            f"Of {len(fitted)} models, {len(served)} are served, each compared on {least:,} records or more.",
            "",
            *_listed(served),
            "",
            "| refused | in or with | reason |",
            "|---|---|---|",
            *rows,
        ]
    )


def write(outcomes: Sequence[Outcome], page: Path = PAGE) -> None:
    """Write the table into the page, between its marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n\n{table_of(outcomes)}\n\n{_END}{after}", encoding="utf-8")


def refused_in(page: Path = PAGE) -> set[tuple[str, str]]:
    """Return the cases that the page says are refused, by class and kind."""
    text = page.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]
    cells = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return {(row[1].strip().strip("`"), row[2].strip()) for row in cells}


def _listed(served: Iterable[Outcome]) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for outcome in served:
        kinds.setdefault(outcome.kind, []).append(outcome.name)
    return [f"- {kind}: {', '.join(f'`{name}`' for name in names)}" for kind, names in sorted(kinds.items())]


def _reason(outcome: Outcome) -> str:
    """Return the reason without its advice."""
    reason = outcome.reason.partition(": replace that part")[0]
    if outcome.verdict == "differs":
        reason = f"its ONNX form answers otherwise: {reason.partition('the smallest is ')[2]}"
    reason = reason.replace("|", "/")
    return reason if len(reason) <= _MOST else reason[: _MOST - 1] + "…"
