"""The settings of the model sync."""

from pydantic import Field, SecretStr

from offpath.settings import Settings


class ModelSyncSettings(Settings):
    """Read from `OFFPATH_BUCKET`, `OFFPATH_MLFLOW_URL` and so on."""

    bucket: str = Field(min_length=3, description="the name of the S3 bucket that models are published to")
    mlflow_url: str = Field(description="the address of the MLflow server, for example https://mlflow.example.com")
    mlflow_username: str | None = Field(None, description="the user name for MLflow's basic authentication")
    mlflow_password: SecretStr | None = Field(None, description="the password for MLflow's basic authentication")
    mlflow_ca_file: str | None = Field(None, description="a PEM file of the certificates to trust MLflow's by")
    mlflow_timeout_seconds: float = Field(30.0, gt=0, description="how long to wait for MLflow, in seconds")
    max_model_bytes: int = Field(
        256 * 1024 * 1024, gt=0, description="the size of the largest model to publish, in bytes"
    )
