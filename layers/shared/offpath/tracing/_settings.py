"""The settings of a process that emits traces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, field_validator

from offpath.settings import Settings
from offpath.tracing._workers import MOST_BYTES

TraceParent = Literal["link", "continue", "ignore"]


class TracingSettings(Settings):
    """The settings of a process that emits traces."""

    queue_url: str = Field(pattern=r"^https?://", description="the URL of the SQS queue that takes trace events")
    bucket: str = Field(min_length=3, description="the S3 bucket of the archive, of large bodies and of spilled events")
    experiment: str = Field("offpath", description="the MLflow experiment of traces that do not name one")
    tracing: str = Field("on", description="on, off, or models and words such as off,iris=on")
    traceparent: TraceParent = Field(
        "link", description="what becomes of a caller's traceparent: link, continue or ignore"
    )
    delivery: Literal["after_response", "before_response"] = Field(
        "after_response", description="whether the answer waits for SQS's receipt (before_response) or not"
    )
    max_message_bytes: int = Field(
        900_000, ge=1, le=1_000_000, description="the size in bytes above which a trace goes to S3 and a claim to SQS"
    )
    publish_budget_seconds: float = Field(
        2.0, gt=0, le=60, description="how long SQS is tried before a trace is kept elsewhere"
    )
    flush_margin_seconds: float = Field(
        1.0, gt=0, le=60, description="how long before a Lambda invocation's time-out its traces are sent"
    )
    backlog_bytes: int = Field(
        MOST_BYTES,
        ge=1_000_000,
        description="the bytes of traces that wait in memory before further ones are spilled",
    )

    @field_validator("queue_url")
    @classmethod
    def _standard_queue(cls, url: str) -> str:
        """Raise ValueError for a FIFO queue: it asks for a message group, and takes 300 messages a second."""
        if url.endswith(".fifo"):
            raise ValueError("a FIFO queue takes no trace events: make a standard queue")
        return url

    @field_validator("tracing")
    @classmethod
    def _words(cls, text: str) -> str:
        TracedModels.parse(text)
        return text


@dataclass(frozen=True, slots=True)
class TracedModels:
    """Which models' predictions are traced. by_default: those that are not named."""

    by_default: bool = True
    named: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "TracedModels":
        """Read `on`, `off`, `iris=off` or several of these with commas between them. Raises ValueError."""
        by_default, named = True, {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            model, equals, word = (piece.strip() for piece in part.rpartition("="))
            if word not in ("on", "off") or bool(equals) is not bool(model):
                raise ValueError(f"{part!r} is neither on nor off, nor a model's name, = and one of them")
            if model:
                named[model] = word == "on"
            else:
                by_default = word == "on"
        return cls(by_default, named)

    @property
    def none(self) -> bool:
        """Whether nothing is traced at all."""
        return not (self.by_default or any(self.named.values()))

    def includes(self, model: str | None) -> bool:
        """Return whether the model's predictions are traced; None: what belongs to no model."""
        return self.by_default if model is None else self.named.get(model, self.by_default)
