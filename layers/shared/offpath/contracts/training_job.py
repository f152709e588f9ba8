"""A training job is a document in S3, and a message on a queue of its own.

The API writes the document `jobs/<id>.json` and then sends the message; the worker keeps the document up to date.
"""

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypedDict, Unpack, get_args

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue

from offpath.contracts.document import Part, check_known, parse
from offpath.contracts.errors import MalformedJob
from offpath.contracts.message import Message
from offpath.contracts.names import DATASETS_PREFIX
from offpath.contracts.promotion import Promotion, Verdict

SCHEMA: Literal["job/1"] = "job/1"
# The schemas that are read: none of them is ever removed.
READABLE: tuple[str, ...] = (SCHEMA,)

State = Literal["queued", "running", "succeeded", "failed"]
_ID = re.compile(r"\d{8}t\d{6}-[0-9a-f]{24}")


class Progress(Part):
    """Tell how far a job is. fraction: from 0 to 1."""

    fraction: float = 0.0
    text: str = ""


class Result(Part):
    """Name the version that a job made.

    metrics: of its run. alias: what was moved to the version. promotion: if one was asked for.
    """

    version: str
    run_id: str
    run_url: str
    version_url: str
    metrics: dict[str, float]
    alias: str | None = None
    promotion: Verdict | None = None


class PublicJob(Part):
    """Describe a job to its caller. attempts: trainings begun, without those that a worker handed back."""

    model_config = ConfigDict(extra="ignore")

    id: str
    model: str
    state: State = "queued"
    progress: Progress = Progress()
    attempts: int = 0
    parameters: dict[str, JsonValue] = Field({})
    seed: int
    data: tuple[str, ...] = Field(
        (), description=f"keys of files below {DATASETS_PREFIX}; empty: the recipe's own data"
    )
    alias: str | None = Field(None, description="the alias that is moved to the new version; null: none")
    promote: Promotion | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    started_at: AwareDatetime | None = Field(None, description="when the last attempt began")
    ended_at: AwareDatetime | None = None
    result: Result | None = None
    error: str | None = Field(None, description="why the job failed")


class _Changes(TypedDict, total=False):
    """Hold the fields of a job that change."""

    claim: str
    state: State
    attempts: int
    started_at: datetime
    ended_at: datetime
    progress: Progress
    result: Result
    error: str


class _Head(Part):
    """Hold the fields that tell whether this version can read the rest."""

    schema_: str = Field(alias="schema")
    state: str


class Job(PublicJob):
    """Hold a job's document. claim: names the attempt that may write it, so that an abandoned one finds that out."""

    model_config = ConfigDict(extra="allow")

    schema_: Literal["job/1"] = Field(SCHEMA, alias="schema")
    claim: Annotated[str, Field(max_length=64)] = ""

    @classmethod
    def parse(cls, content: bytes) -> "Job":
        """Read a document. Raises MalformedJob, or UnknownSchema for one that a newer version wrote."""
        head = parse(_Head, content, _malformed)
        check_known("a job of the schema", head.schema_, READABLE)
        check_known("a job in the state", head.state, get_args(State))
        return parse(cls, content, _malformed)

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen to it."""
        return self.state in {"succeeded", "failed"}

    def started(self, claim: str, most_attempts: int) -> "Job":
        """Return the job with one attempt more, which the claim names; there are never more than most_attempts."""
        return self._changed(
            claim=claim,
            state="running",
            attempts=min(self.attempts + 1, most_attempts),
            started_at=now(),
            progress=Progress(text="starting"),
        )

    def progressed(self, progress: Progress) -> "Job":
        """Return the job as far as it is now."""
        return self._changed(progress=progress)

    def succeeded(self, result: Result) -> "Job":
        """Return the job with its result, ended now."""
        done = Progress(fraction=1.0, text="done")
        return self._changed(state="succeeded", result=result, progress=done, ended_at=now())

    def failed(self, reason: str) -> "Job":
        """Return the job with the reason why it failed, ended now."""
        return self._changed(state="failed", error=reason, ended_at=now())

    def handed_back(self, attempts: int) -> "Job":
        """Return the job as it waits for the next worker, which is the first of so many attempts and one more."""
        progress = Progress(text="its worker was stopped; it waits for the next one")
        return self._changed(claim="", state="queued", attempts=attempts, progress=progress)

    def _changed(self, **changes: Unpack[_Changes]) -> "Job":
        return self.model_copy(update={"updated_at": now(), **changes})


def _malformed(complaint: str) -> MalformedJob:
    return MalformedJob(f"not a job of the schema {SCHEMA}: {complaint}")


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def new_id(at: datetime) -> str:
    """Return an id that sorts by time and cannot be guessed."""
    return f"{at:%Y%m%dt%H%M%S}-{secrets.token_hex(12)}"


def is_id(text: str) -> bool:
    """Tell whether a job can have that id."""
    return bool(_ID.fullmatch(text))


def message_of(job_id: str) -> Message:
    """Return the message that goes on the queue for a job."""
    return Message(json.dumps({"schema": SCHEMA, "id": job_id}), {})


def id_in(body: str) -> str:
    """Return the id in a job's message. Raises MalformedJob, or UnknownSchema for a later version's message."""
    try:
        fields: Any = json.loads(body)
        schema, job_id = str(fields["schema"]), str(fields["id"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedJob(f"not a job's message: {body[:200]!r}") from error
    check_known("a job's message of the schema", schema, READABLE)
    if not is_id(job_id):
        raise MalformedJob(f"not a job's message: {body[:200]!r}")
    return job_id
