"""The settings of the trace writer."""

from pydantic import Field

from offpath.mlflow.settings import MlflowSettings


class WriterSettings(MlflowSettings):
    """Read from `OFFPATH_BUCKET`, `OFFPATH_MLFLOW_URL` and so on."""

    dead_letter_url: str | None = Field(
        None, pattern=r"^https?://", description="the URL of the dead-letter queue, where poison is moved to"
    )
    max_receives: int = Field(5, ge=1, le=1_000, description="how often poison is received before it is moved")
    max_post_bytes: int = Field(
        8_000_000, gt=0, description="the size of the largest request to MLflow, in bytes before compression"
    )
