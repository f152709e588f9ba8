"""Audit a generated ledger in a process of its own: its folder is the argument, its figures are printed as JSON."""

import json
import resource
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from benchmarks.generated_ledger import DAY, FolderBucket
from offpath_cli.audit.verify import Sample
from trace_writer.audit.ledger import Ledger
from trace_writer.audit.period import Period
from trace_writer.audit.run import Audit

SAMPLE = 1_000


def main(folder: Path) -> None:
    """Audit the day, as `offpath audit` does, and print what was found and what it took."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    period = Period(DAY, DAY + timedelta(days=1), DAY + timedelta(days=2))
    sample = Sample(SAMPLE)
    found = Audit(Ledger(FolderBucket(folder)), period, lambda _: None, sample.see).run()
    missing = Counter[str]()
    for one in found.missing:
        missing[one.kind] += one.count
    figures = {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - begun_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "archived": sum(tally.archived for tally in found.models.values()),
        "processes": found.processes,
        "missing": missing,
        "named": sum(bool(one.trace_ids) for one in found.missing),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
