"""Run the trace writer's handler under a hard limit of memory: `python -m tests.support.limited_writer BYTES EVENT`.

It writes what the handler answered, and the most memory that it had (resident, in bytes), as JSON.
"""

import json
import resource
import sys
from pathlib import Path


class Context:
    """Lambda's context, as far as the handler looks at it."""

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def main(limit: str, event_file: str) -> None:
    """Limit this process, load the handler, and invoke it once."""
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    from trace_writer.handler import handler

    answer = handler(json.loads(Path(event_file).read_text()), Context())
    # Not by getrusage, which knows of the process that started this one, too.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    sys.stdout.write("\n" + json.dumps({"failed": len(answer["batchItemFailures"]), "peak": peak}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
