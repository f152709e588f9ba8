"""The settings of the trace writer."""

from pydantic import Field, SecretStr

from offpath.settings import Settings


class WriterSettings(Settings):
    """Read from `OFFPATH_BUCKET`, `OFFPATH_MLFLOW_URL` and so on."""

    bucket: str = Field(min_length=3, description="the name of the S3 bucket of archive and claims")
    mlflow_url: str = Field(description="the address of the MLflow server, for example https://mlflow.example.com")
    mlflow_username: str | None = Field(None, description="the user name for MLflow's basic authentication")
    mlflow_password: SecretStr | None = Field(None, description="the password for MLflow's basic authentication")
    mlflow_ca_file: str | None = Field(None, description="a PEM file of the certificates to trust MLflow's by")
    mlflow_timeout_seconds: float = Field(30.0, gt=0, description="how long to wait for MLflow, in seconds")
    dead_letter_url: str | None = Field(
        None, pattern=r"^https?://", description="the URL of the dead-letter queue, where poison is moved to"
    )
    max_receives: int = Field(5, ge=1, le=1_000, description="how often poison is received before it is moved")
    max_post_bytes: int = Field(
        8_000_000, gt=0, description="the size of the largest request to MLflow, in bytes before compression"
    )
