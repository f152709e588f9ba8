"""Report what the benchmarks found, to people and to programs."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

COMPARISON = ("n", "p50", "p99", "+p50", "+p99", "+p99 within")

# It shows what is being done.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """Hold one benchmark's outcome.

    measured: the way it was measured. rows: the first cell names what was measured. notes: lines below the table.
    """

    title: str
    measured: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    figures: Mapping[str, Any]


def machine() -> dict[str, str | int]:
    """Return the facts that the figures depend on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "mlflow": version("mlflow"),
        "fastapi": version("fastapi"),
        "onnxruntime": version("onnxruntime"),
        "opentelemetry": version("opentelemetry-sdk"),
    }


def show(result: BenchmarkResult, console: Console) -> None:
    """Print one benchmark's table, with how it was measured and the goals."""
    console.print(f"\n[bold]{result.title}[/bold]")
    console.print(result.measured, style="dim", highlight=False)
    table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True)
    for index, column in enumerate(result.columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in result.rows:
        table.add_row(*row)
    console.print(table)
    for note in result.notes:
        console.print(f"  {note}", highlight=False)


def show_machine(console: Console) -> None:
    """Print the line that the figures are read with."""
    facts = machine()
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "mlflow", "fastapi", "onnxruntime"))
    console.print(f"{facts['system']}, {facts['cores']} cores; {versions}", highlight=False)


def write_json(results: Mapping[str, BenchmarkResult], file: Path, *, quick: bool) -> None:
    """Write the figures. Times are in milliseconds, sizes in MB, unless a name says otherwise."""
    figures = {name: result.figures for name, result in results.items()}
    file.write_text(json.dumps({"machine": machine(), "quick": quick} | figures, indent=2) + "\n", encoding="utf-8")


def milliseconds(value: float) -> str:
    """Return a time as text, with the digits that are significant."""
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{decimals}f}"


def comparison(name: str, figures: Mapping[str, float], *, is_baseline: bool) -> list[str]:
    """Return the cells for what `stats.compared` found: the name, then those that COMPARISON heads."""
    cells = [name, str(figures["samples"]), milliseconds(figures["p50"]), milliseconds(figures["p99"])]
    if is_baseline:
        return [*cells, "", "", ""]
    within = f"{milliseconds(figures['added_p99_low'])} … {milliseconds(figures['added_p99_high'])}"
    return [*cells, milliseconds(figures["added_p50"]), milliseconds(figures["added_p99"]), within]


def goal(figures: Mapping[str, float], goal_ms: float) -> str:
    """Return the goal for what is added at the 99th percentile, beside what was found."""
    return f"goal: offpath adds at most {goal_ms} ms at p99; here {milliseconds(figures['added_p99'])}"
