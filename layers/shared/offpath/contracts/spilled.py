"""Messages that SQS could not take go to S3, and as a last resort into the process's own log.

In S3 a spilled message is one object, `spill/<queue name>/<trace id>-<digest>.json`, that holds
`{"schema": "spill/1", "attributes": {…}, "body": "…"}`; version 0.1.0 wrote it without the schema. In the log it is
one or more JSON lines, each below CloudWatch's limit for one event, that `from_log` puts together again.
"""

import base64
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.contracts.document import check_known, complaint
from offpath.contracts.errors import MalformedEvent, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.names import spill_prefix

SCHEMA = "spill/1"
# The schemas that are read: none of them is ever removed.
READABLE = (SCHEMA,)
LOG_MARK = "offpath_spill"
_MARKED = re.compile(rf'"{LOG_MARK}"\s*:')
# CloudWatch Logs takes 256 KiB an event everywhere (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/);
# the base64 text of a part, its JSON frame and a prefix of the log's own stay below that.
LOG_PART_CHARACTERS = 200_000


def dump(message: Message) -> bytes:
    """Return the message as the content of an S3 object, in which each character is itself."""
    return json.dumps({"schema": SCHEMA, **_fields(message)}, ensure_ascii=False).encode(errors="surrogatepass")


def load(content: bytes) -> Message:
    """Return the message that `dump` wrote. Raises MalformedEvent, or UnknownSchema for what a newer version wrote."""
    try:
        fields: Any = json.loads(content)
        schema = str(fields.get("schema", "spill/1"))
        check_known("a spilled message of the schema", schema, READABLE)
        return Message(str(fields["body"]), {str(name): str(value) for name, value in fields["attributes"].items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MalformedEvent(f"not a spilled message: {content[:200]!r}") from error


def key(queue: str, message: Message) -> str:
    """Return where a message lies in S3: the same message lies in the same place, however often it is spilled.

    The digest is of attributes and body alone, so that it is the same in each version, whatever schema that writes.
    """
    digest = hashlib.sha256(json.dumps(_fields(message)).encode()).hexdigest()[:16]
    return f"{spill_prefix(queue)}{message.attributes.get('trace_id', 'unknown')}-{digest}.json"


def to_log(message: Message) -> Iterator[str]:
    """Yield the message as JSON lines, compressed, each of at most some 200,000 characters.

    They are errors, which no level of logging passes over: Lambda drops lines of a lower level than it is told to keep.
    """
    text = base64.b64encode(gzip.compress(dump(message), mtime=0)).decode()
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    parts = [text[at : at + LOG_PART_CHARACTERS] for at in range(0, len(text), LOG_PART_CHARACTERS)]
    for number, part in enumerate(parts, 1):
        yield json.dumps({LOG_MARK: digest, "level": "ERROR", "part": number, "parts": len(parts), "gzip": part})


def from_log(lines: Iterable[str], max_bytes: int | None = None) -> Iterator[Message]:
    """Yield the messages in a log, once each, in the order in which they were complete; other lines are passed over.

    max_bytes: of one message, above which it counts as one that cannot be read.

    A message that cannot be read costs no other. After the last one, it raises one error that names all that could not
    be read: UnknownSchema if a newer version wrote one of them, else MalformedEvent, for missing parts, too.
    """
    log = _Log(max_bytes)
    for line in lines:
        message = log.read(line)
        if message:
            yield message
    log.check()


@dataclass(frozen=True, slots=True)
class LogPart:
    """Hold one line of a message in a log. mark: the same in all its lines. part: from 1 to parts. line: JSON."""

    mark: str
    part: int
    parts: int
    line: str


def log_part(line: str) -> LogPart | None:
    """Return the part of a message in a line of a log, or None if it holds none. Raises MalformedEvent."""
    part = _part(line)
    return LogPart(part.mark, part.part, part.parts, part.model_dump_json(by_alias=True)) if part else None


def _fields(message: Message) -> dict[str, object]:
    return {"attributes": dict(message.attributes), "body": message.body}


class _Part(BaseModel):
    """Hold a part of a message, which is one line. mark: the same in all parts of a message."""

    model_config = ConfigDict(frozen=True, strict=True)

    mark: str = Field(alias=LOG_MARK)
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    gzip: str


@dataclass(slots=True)
class _Log:
    """Collect the parts of messages, by mark and number, and each reason why something cannot be read."""

    max_bytes: int | None = None
    found: dict[str, dict[int, str]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def read(self, line: str) -> Message | None:
        """Return the message that this line completes, if it is one that can be read."""
        try:
            part = _part(line)
            return self._completed(part) if part else None
        except UnknownSchema as error:
            self.unknown.append(str(error))
        except MalformedEvent as error:
            self.malformed.append(str(error))
        return None

    def check(self) -> None:
        """Raise an error for all that was not read, if there is any."""
        lacking = [f"{mark} ({count} parts)" for mark, count in self.missing.items() if count]
        if lacking:
            self.malformed.append(f"the log lacks parts of these spilled messages: {', '.join(lacking)}")
        reasons = "; ".join(dict.fromkeys([*self.unknown, *self.malformed]))
        if self.unknown:
            raise UnknownSchema(reasons)
        if self.malformed:
            raise MalformedEvent(reasons)

    def _completed(self, part: _Part) -> Message | None:
        parts = self.found.setdefault(part.mark, {})
        is_new = part.part not in parts
        parts[part.part] = part.gzip
        self.missing[part.mark] = max(0, part.parts - len(parts))
        if not is_new or self.missing[part.mark]:
            return None
        return load(_decompressed(part.mark, "".join(parts[number] for number in sorted(parts)), self.max_bytes))


def _decompressed(mark: str, text: str, max_bytes: int | None) -> bytes:
    try:
        compressed = gzip.GzipFile(fileobj=io.BytesIO(base64.b64decode(text)))
        content = compressed.read(-1 if max_bytes is None else max_bytes + 1)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise MalformedEvent(f"the spilled message {mark} in the log is damaged: {error}") from error
    if max_bytes is not None and len(content) > max_bytes:
        raise MalformedEvent(f"the spilled message {mark} in the log has more than {max_bytes:,} bytes")
    return content


def _part(line: str) -> _Part | None:
    """Return the part in a line, whatever stands before it, and whatever fields were added to it.

    Raises MalformedEvent for an object with the mark that is none, or is not whole: a log may cut a line off.
    """
    mark = line.find(f'"{LOG_MARK}"')
    for start in (position for position in range(mark) if line[position] == "{"):
        try:
            found: dict[str, Any] = json.JSONDecoder().raw_decode(line, start)[0]
        except (ValueError, RecursionError):
            continue
        if LOG_MARK in found:
            return _checked(found)
    if _MARKED.search(line):
        raise MalformedEvent(f"a part of a spilled message is not whole: {line[:200]}")
    return None


def _checked(found: dict[str, Any]) -> _Part:
    try:
        return _Part.model_validate(found)
    except ValidationError as error:
        raise MalformedEvent(f"not a part of a spilled message, {complaint(error)}: {str(found)[:200]}") from error
