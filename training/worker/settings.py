"""The training worker's settings, which come from its environment, and its log."""

import logging
import sys

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from offpath.settings import Settings
from training.recipes.catalog import NAMES


class WorkerSettings(Settings):
    """Settings of the training worker. MLflow reads variables of its own beside them."""

    training_queue_url: str = Field(description="the URL of the SQS queue of training jobs")
    bucket: str = Field(min_length=3, description="the S3 bucket of jobs and datasets")
    training_seconds: float = Field(3_600, gt=0, description="how long one attempt of a job may train")
    training_memory_mb: int | None = Field(
        None, ge=1, description="how much memory, in MB, a training may take; without it, what there is"
    )
    training_visibility_seconds: int = Field(
        60, ge=1, le=43_200, description="after how long a job is tried again whose worker was killed"
    )
    training_mlflow_wait_seconds: float = Field(
        120, ge=0, description="how long a job waits for an MLflow server that does not answer"
    )
    training_pages_url: str | None = Field(
        None, pattern="^https?://", description="where people open MLflow, if not at MLFLOW_TRACKING_URI"
    )
    training_recipes: str = Field(
        ",".join(NAMES), description="the names of the recipes that can be trained here, with commas between them"
    )

    @field_validator("training_recipes")
    @classmethod
    def _are_known(cls, text: str) -> str:
        unknown = [name for name in _names(text) if name not in NAMES]
        if unknown or not _names(text):
            raise PydanticCustomError("recipes", f"expected some of {', '.join(NAMES)}")
        return text

    @property
    def recipes(self) -> list[str]:
        """Return the names of the recipes."""
        return _names(self.training_recipes)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def configure_logging() -> None:
    """Log to standard error, as `LEVEL message`; of libraries only warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("worker").setLevel(logging.INFO)
