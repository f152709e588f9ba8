"""Tell how MLflow answered the trace writer last: `status/writer.json`, for whoever may not ask MLflow."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from offpath.contracts.document import check_known
from offpath.contracts.errors import MalformedEvent

SCHEMA: Literal["writer-status/1"] = "writer-status/1"
# The schemas that are read: none of them is ever removed.
READABLE = (SCHEMA,)


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """Hold whether MLflow stored what it got. at: when that was seen. reason: why not; empty if it did."""

    at: datetime
    mlflow_stores: bool
    reason: str = ""


def dump(status: WriterStatus) -> bytes:
    """Return the content of the object."""
    fields = {"at": status.at.isoformat(), "mlflow_stores": status.mlflow_stores, "reason": status.reason}
    return json.dumps({"schema": SCHEMA, **fields}).encode()


def load(content: bytes) -> WriterStatus:
    """Return the status that `dump` wrote. Raises MalformedEvent, or UnknownSchema if it is a newer version's."""
    try:
        fields: Any = json.loads(content)
        check_known("a status of the schema", str(fields["schema"]), READABLE)
        at = datetime.fromisoformat(fields["at"])
        return WriterStatus(at, fields["mlflow_stores"] is True, str(fields.get("reason", "")))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedEvent(f"not a status of the writer: {content[:200]!r}") from error
