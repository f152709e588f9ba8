"""A receipt says how an event ended: the trace writer leaves one for each event that leaves the queue.

Those of a batch are one object, `receipts/v1/date=YYYY-MM-DD/hour=HH/<SHA-256 of the lines>.jsonl.gz`, by the time in
UTC at which it was written; each line is a JSON object. Together with the archive they are the ledger: whatever is
archived and has no receipt is on its way, or missing.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from offpath.contracts.document import check_known
from offpath.contracts.errors import MalformedEvent
from offpath.contracts.event_summary import EventSummary

SCHEMA: Literal["receipt/1"] = "receipt/1"
# The schemas that are read: none of them is ever removed.
READABLE = (SCHEMA,)

# The ends that are written. A reader passes others through, by the name that they have.
IN_MLFLOW = "in_mlflow"
DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold how an event ended: `in_mlflow`, `dead_lettered`, or an end that a later version names."""

    end: str
    event: EventSummary


def dump(receipt: Receipt) -> bytes:
    """Return a receipt as a line, without its line break. What the event does not say is left out."""
    event = receipt.event
    fields: dict[str, object] = {"schema": SCHEMA, "end": receipt.end}
    if event.is_numbered:
        fields |= {"instance": event.instance, "sequence": event.sequence}
    told = {"trace_id": event.trace_id, "experiment": event.experiment, "model": event.model}
    fields |= {name: text for name, text in told.items() if text}
    if event.ended_at:
        fields["time"] = event.ended_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(fields, separators=(",", ":")).encode()


def load(line: bytes) -> Receipt:
    """Return the receipt in a line. Raises MalformedEvent, or UnknownSchema for what a newer version wrote."""
    try:
        fields: Any = json.loads(line.decode())
        schema, end = fields["schema"], fields["end"]
        if schema != SCHEMA:
            check_known("a receipt of the schema", str(schema), READABLE)
        event = EventSummary(
            str(fields.get("instance", "")),
            int(fields.get("sequence", 0)),
            str(fields.get("trace_id", "")),
            str(fields.get("experiment", "")),
            str(fields.get("model", "")),
            _time(fields.get("time")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise MalformedEvent(f"not a receipt: {line[:200]!r}") from error
    return Receipt(str(end), event)


def _time(text: str | None) -> datetime | None:
    """Return a time; one that names no time zone is in UTC."""
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
