"""The settings of the model sync."""

from pydantic import Field

from offpath.mlflow.settings import MlflowSettings


class ModelSyncSettings(MlflowSettings):
    """Read from `OFFPATH_BUCKET`, `OFFPATH_MLFLOW_URL` and so on."""

    max_model_bytes: int = Field(
        256 * 1024 * 1024, gt=0, description="the size of the largest model to publish, in bytes"
    )
