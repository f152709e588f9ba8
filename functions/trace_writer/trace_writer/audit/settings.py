"""The settings of the daily audit."""

from pydantic import Field

from offpath.settings import Settings


class AuditSettings(Settings):
    """Read from `OFFPATH_BUCKET` and `OFFPATH_QUEUE_URL`."""

    bucket: str = Field(min_length=3, description="the name of the pipeline's S3 bucket")
    queue_url: str = Field(pattern=r"^https?://", description="the URL of the queue of trace events")
