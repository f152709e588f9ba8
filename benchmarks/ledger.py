"""Measure an audit of generated archives and receipts: its rate, and the memory that it takes.

`python -m benchmarks.ledger 10000000` does so for a number of events.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.generated_ledger import AT_ONCE, BATCH, EVENTS_A_PROCESS, FolderBucket, generate
from benchmarks.report import BenchmarkResult, Progress

EVENTS = 1_000_000
MOST_MB = 300
MEASURED = (
    f"A day of events of one prediction each, in batches of {BATCH}, of processes of {EVENTS_A_PROCESS:,} events each, "
    f"{AT_ONCE} of them at once; three in 100,000 are left out of everything, of the receipts, or of the archive. "
    "Archive and receipts lie on this machine's disk, so that S3's answers are not in the time."
)


def run(progress: Progress, *, quick: bool) -> BenchmarkResult:
    """Audit a day with a million events, or a hundred thousand."""
    return measure(progress, EVENTS // 10 if quick else EVENTS)


def measure(progress: Progress, events: int) -> BenchmarkResult:
    """Generate a ledger of so many events, and audit it in a process of its own. Raises RuntimeError if it is wrong."""
    with tempfile.TemporaryDirectory(prefix="offpath-bench-") as folder:
        progress(f"generating {events:,} events")
        planted = asdict(generate(FolderBucket(Path(folder)), events))
        progress("auditing them")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.ledger_audit", folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"the audit failed: {done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    missing = {kind: figures["missing"].get(kind, 0) for kind in planted}
    if missing != planted:
        raise RuntimeError(f"{planted} were left out, and {missing} found")
    rate, cpu_rate = events / figures["seconds"], events / figures["cpu_seconds"]
    row = [f"{events:,}", f"{figures['processes']:,}", f"{figures['seconds']:.1f}", f"{rate:,.0f}", f"{cpu_rate:,.0f}"]
    return BenchmarkResult(
        "Audit",
        MEASURED,
        ["events", "processes", "seconds", "events a second", "a second of CPU", "peak memory, MB"],
        [[*row, f"{figures['peak_mb']:.0f}"]],
        [
            f"all {sum(planted.values())} events that were left out were found, each in its kind",
            f"goal: at most {MOST_MB} MB for ten million events",
        ],
        {**figures, "events": events, "events_a_second": rate, "events_a_cpu_second": cpu_rate},
    )


if __name__ == "__main__":
    from rich.console import Console

    from benchmarks.report import show

    show(measure(lambda doing: print(f"· {doing}", file=sys.stderr), int(sys.argv[1])), Console())
