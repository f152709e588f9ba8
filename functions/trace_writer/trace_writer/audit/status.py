"""The last daily audit's result, as others read it: `status/audit.json`."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from aws_lambda_powertools import Logger

from trace_writer.audit.findings import Findings, Missing
from trace_writer.audit.period import Period

SCHEMA: Literal["audit/1"] = "audit/1"
MOST_RANGES = 1_000

Result = Literal["well", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """Hold what a daily audit came to. found: None if it came to no end. reason: why that is so."""

    period: Period
    found: Findings | None = None
    reason: str = ""

    @property
    def result(self) -> Result:
        """Whether all is well, something is missing, or that could not be told."""
        if self.found and self.found.missing_count:
            return "missing"
        return "well" if self.found and self.found.is_whole else "unknown"

    def dump(self) -> bytes:
        """Return the content of the object."""
        told = {
            "schema": SCHEMA,
            "since": _text(self.period.since),
            "until": _text(self.period.until),
            "made_at": _text(self.period.now),
            "result": self.result,
            "reason": self.reason or ("; ".join(self.found.unreadable[:3]) if self.found else ""),
            **(_counts(self.found) if self.found else {}),
        }
        return json.dumps(told, indent=2).encode() + b"\n"


def log_audit(logger: Logger, status: AuditStatus) -> None:
    """Log what an audit came to: a metric is made of this line's number (template.yaml)."""
    found = status.found
    logger.info(
        "audit made",
        since=status.period.since.isoformat(),
        until=status.period.until.isoformat(),
        result=status.result,
        reason=status.reason,
        missing=found.missing_count if found else 0,
    )


def _counts(found: Findings) -> dict[str, object]:
    tallies, ends = found.models.values(), Counter[str]()
    for tally in tallies:
        ends.update(tally.ends)
    names = ("emitted", "archived", "waiting", "spilled", "unrecorded", "twice")
    return {
        **{name: sum(getattr(tally, name) for tally in tallies) for name in names},
        "ends": dict(+ends),
        "missing": found.missing_count,
        "ranges": [_range(one) for one in found.missing[:MOST_RANGES]],
    }


def _range(one: Missing) -> dict[str, object]:
    fields = asdict(one) | {"since": _text(one.since), "until": _text(one.until)}
    del fields["trace_ids"]
    return fields


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
