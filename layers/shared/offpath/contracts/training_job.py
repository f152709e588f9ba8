"""Training jobs: one document each in S3, and a message on a queue of their own.

The API writes the document `jobs/<id>.json` and then sends the message; the worker keeps the document up to date.
"""

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from offpath.contracts.errors import MalformedJob, UnknownSchema
from offpath.contracts.message import Message

SCHEMA: Literal["job/1"] = "job/1"
PREFIX = "jobs/"
# What a job may learn from lies below this key, in the pipeline's bucket.
DATASETS = "datasets/"

State = Literal["queued", "running", "succeeded", "failed"]
_ID = re.compile(r"\d{8}t\d{6}-[0-9a-f]{24}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Promotion(_Part):
    """When the new version becomes champion: its run's metric is better than the champion's, by margin or more."""

    metric: str = Field(max_length=250, description="a metric of the recipe, such as validation_accuracy")
    margin: float = Field(0.0, ge=0, allow_inf_nan=False, description="by how much it has to be better, at least")


class Progress(_Part):
    """How far a job is. fraction: from 0 to 1."""

    fraction: float = 0.0
    text: str = ""


class Verdict(_Part):
    """Whether the new version became champion, and why, or why not.

    comparable: whether both were measured on the same held-out rows; null where nothing was compared.
    """

    promoted: bool
    comparable: bool | None = None
    reason: str


class Result(_Part):
    """What a job made. metrics: of its run. alias: what was moved to the version. promotion: if one was asked for."""

    version: str
    run_id: str
    run_url: str
    version_url: str
    metrics: dict[str, float]
    alias: str | None = None
    promotion: Verdict | None = None


class PublicJob(_Part):
    """A job as whoever ordered it sees it. attempts: trainings begun, but for those that a worker handed back."""

    id: str
    model: str
    state: State = "queued"
    progress: Progress = Progress()
    attempts: int = 0
    parameters: dict[str, JsonValue] = {}
    seed: int
    data: tuple[str, ...] = Field((), description=f"keys of files below {DATASETS}; empty: the recipe's own data")
    alias: str | None = Field(None, description="the alias that is moved to the new version; null: none")
    promote: Promotion | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    started_at: AwareDatetime | None = Field(None, description="when the last attempt began")
    ended_at: AwareDatetime | None = None
    result: Result | None = None
    error: str | None = Field(None, description="why the job failed")


class Job(PublicJob):
    """A job's document. claim: of the attempt that may write it, so that one that was given up finds that out."""

    schema_: Literal["job/1"] = Field(SCHEMA, alias="schema")
    claim: Annotated[str, Field(max_length=64)] = ""

    @classmethod
    def parse(cls, content: bytes) -> "Job":
        """Read a document; fields that it does not know are passed over. Raises MalformedJob."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole document"
            raise MalformedJob(f"not a job of the schema {SCHEMA}: {where}: {first['msg']}") from error

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {"succeeded", "failed"}

    def to_json(self) -> bytes:
        """The document as it is stored."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"

    def with_(self, **changes: Any) -> "Job":
        """The same job with other values, changed now."""
        return self.model_copy(update={"updated_at": now(), **changes})


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_id(at: datetime) -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{at:%Y%m%dt%H%M%S}-{secrets.token_hex(12)}"


def is_id(text: str) -> bool:
    """Whether a job can have that id."""
    return bool(_ID.fullmatch(text))


def key_of(job_id: str) -> str:
    """Where the document of a job lies."""
    return f"{PREFIX}{job_id}.json"


def message_of(job_id: str) -> Message:
    """What goes on the queue for a job."""
    return Message(json.dumps({"schema": SCHEMA, "id": job_id}), {})


def id_in(body: str) -> str:
    """The id of the job that a message's body names. Raises MalformedJob, or UnknownSchema for a later version's."""
    try:
        fields: Any = json.loads(body)
        schema, job_id = str(fields["schema"]), str(fields["id"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedJob(f"not a job's message: {body[:200]!r}") from error
    if schema.startswith(SCHEMA.split("/")[0] + "/") and schema != SCHEMA:
        raise UnknownSchema(f"schema {schema[:50]!r} is not known here; this version reads {SCHEMA!r}")
    if schema != SCHEMA or not is_id(job_id):
        raise MalformedJob(f"not a job's message: {body[:200]!r}")
    return job_id
