"""The settings of the trace writer."""

from pydantic import Field

from offpath.mlflow.settings import MlflowSettings


class WriterSettings(MlflowSettings):
    """Read from `OFFPATH_BUCKET`, `OFFPATH_MLFLOW_URL` and so on."""

    dead_letter_url: str | None = Field(
        None, pattern=r"^https?://", description="the URL of the dead-letter queue, where poison is moved to"
    )
    queue_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="the URL of the trace queue: what failed comes again sooner there, and the sweep knows its spill",
    )
    max_receives: int = Field(
        5, ge=1, le=1_000, description="how often a message is refused for itself before it is moved"
    )
    max_post_bytes: int = Field(
        8_000_000, gt=0, description="the size of the largest request to MLflow, in bytes before compression"
    )
    max_part_bytes: int = Field(
        64_000_000, ge=1_000_000, description="how many bytes of decoded events are held at once"
    )
    max_event_bytes: int = Field(
        32_000_000, ge=1_000_000, description="the most bytes in memory of the text of one event"
    )
    max_event_spans: int = Field(10_000, ge=1, description="the most spans of one event")
    max_event_values: int = Field(500_000, ge=1_000, description="the most values and names in one event's JSON")
