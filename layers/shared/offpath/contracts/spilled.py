"""Where an event goes that SQS could not take: to S3, and as a last resort into the process's own log.

In S3 a spilled message is one object, `spill/<queue name>/<trace id>-<digest>.json`, that holds
`{"schema": "spill/1", "attributes": {…}, "body": "…"}`; version 0.1.0 wrote it without the schema. In the log it is
one or more JSON lines, each below CloudWatch's limit for one event, that `from_log` puts together again.
"""

import base64
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from offpath.contracts.document import check_known
from offpath.contracts.errors import MalformedEvent
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix

SCHEMA = "spill/1"
# The schemas that are read: none of them is ever removed.
READABLE = (SCHEMA,)
LOG_MARK = "offpath_spill"
# CloudWatch Logs takes 256 KiB an event everywhere (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/);
# the base64 text of a part, its JSON frame and a prefix of the log's own stay below that.
LOG_PART_CHARACTERS = 200_000


def dump(message: Message) -> bytes:
    """The message as the content of an S3 object."""
    return json.dumps({"schema": SCHEMA, "attributes": dict(message.attributes), "body": message.body}).encode()


def load(content: bytes) -> Message:
    """Return the message that `dump` wrote. Raises MalformedEvent, or UnknownSchema for what a newer version wrote."""
    try:
        fields: Any = json.loads(content)
        schema = str(fields.get("schema", "spill/1"))
        check_known("a spilled message of the schema", schema, READABLE)
        return Message(str(fields["body"]), {str(name): str(value) for name, value in fields["attributes"].items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedEvent(f"not a spilled message: {content[:200]!r}") from error


def key(queue: str, message: Message) -> str:
    """Where a message lies in S3: the same message lies in the same place, however often it is spilled."""
    digest = hashlib.sha256(dump(message)).hexdigest()[:16]
    return f"{spill_prefix(queue)}{message.attributes.get('trace_id', 'unknown')}-{digest}.json"


def to_log(message: Message) -> Iterator[str]:
    """The message as JSON lines, compressed, each of at most some 200,000 characters.

    They are errors, which no level of logging passes over: Lambda drops lines of a lower level than it is told to keep.
    """
    text = base64.b64encode(gzip.compress(dump(message), mtime=0)).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    parts = [text[at : at + LOG_PART_CHARACTERS] for at in range(0, len(text), LOG_PART_CHARACTERS)]
    for number, part in enumerate(parts, 1):
        yield json.dumps({LOG_MARK: digest, "level": "ERROR", "part": number, "parts": len(parts), "gzip": part})


def from_log(lines: Iterable[str]) -> Iterator[Message]:
    """The messages in a log, once each, in the order in which they were complete; other lines are passed over.

    Raises MalformedEvent at the end when parts of a message are missing, naming it.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    missing: dict[str, int] = {}
    for part in filter(None, map(_part, lines)):
        mark, parts = part[LOG_MARK], found[part[LOG_MARK]]
        new = part["part"] not in parts
        parts[part["part"]] = part["gzip"]
        missing[mark] = part["parts"] - len(parts)
        if new and not missing[mark]:
            yield load(gzip.decompress(base64.b64decode("".join(parts[number] for number in sorted(parts)))))
    incomplete = [f"{mark} ({count} parts)" for mark, count in missing.items() if count]
    if incomplete:
        raise MalformedEvent(f"the log lacks parts of these spilled messages: {', '.join(incomplete)}")


def _part(line: str) -> dict[str, Any] | None:
    """The part in a line, whatever stands before it, and whatever fields were added to it."""
    mark = line.find(f'"{LOG_MARK}"')
    for start in (position for position in range(mark) if line[position] == "{"):
        try:
            found = json.JSONDecoder().raw_decode(line, start)[0]
        except ValueError:
            continue
        if LOG_MARK in found:
            part: dict[str, Any] = found
            return part
    return None
