"""The settings of a process that talks to MLflow."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from offpath.settings import Settings, variable

# What each of the first stands in for.
_RIVALS = {"mlflow_secret": ("mlflow_username", "mlflow_password"), "mlflow_ca_key": ("mlflow_ca_file",)}


class MlflowSettings(Settings):
    """The settings that are read from `OFFPATH_MLFLOW_URL` and so on."""

    bucket: str = Field(min_length=3, description="the name of the pipeline's S3 bucket")
    mlflow_url: str = Field(description="the address of the MLflow server, for example https://mlflow.example.com")
    mlflow_username: str | None = Field(None, description="the user name for MLflow's basic authentication")
    mlflow_password: SecretStr | None = Field(None, description="the password for MLflow's basic authentication")
    mlflow_secret: str | None = Field(
        None, description='the ARN or name of a secret with the text {"username": "…", "password": "…"} for MLflow'
    )
    mlflow_ca_file: str | None = Field(None, description="a PEM file of the certificates to trust MLflow's by")
    mlflow_ca_key: str | None = Field(
        None, description="the key, in the pipeline's S3 bucket, of a PEM file of the certificates to trust MLflow's by"
    )
    mlflow_timeout_seconds: float = Field(30.0, gt=0, description="how long to wait for MLflow, in seconds")

    @model_validator(mode="after")
    def _say_nothing_twice(self) -> Self:
        for name, rivals in _RIVALS.items():
            for rival in rivals:
                if getattr(self, name) and getattr(self, rival):
                    both = f"both {variable(name)} and {variable(rival)} are set"
                    raise PydanticCustomError("rivals", f"{both}: the first stands in for the second, so unset one")
        return self
