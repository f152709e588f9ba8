"""The settings of a process that talks to MLflow."""

from pydantic import Field, SecretStr

from offpath.mlflow_http import MlflowHttp
from offpath.settings import Settings


class MlflowSettings(Settings):
    """Read from `OFFPATH_MLFLOW_URL` and so on."""

    mlflow_url: str = Field(description="the address of the MLflow server, for example https://mlflow.example.com")
    mlflow_username: str | None = Field(None, description="the user name for MLflow's basic authentication")
    mlflow_password: SecretStr | None = Field(None, description="the password for MLflow's basic authentication")
    mlflow_ca_file: str | None = Field(None, description="a PEM file of the certificates to trust MLflow's by")
    mlflow_timeout_seconds: float = Field(30.0, gt=0, description="how long to wait for MLflow, in seconds")

    def mlflow_http(self) -> MlflowHttp:
        """Requests to that server. Raises SettingsError for an address or a CA file that cannot be used."""
        return MlflowHttp(
            self.mlflow_url,
            self.mlflow_username,
            self.mlflow_password.get_secret_value() if self.mlflow_password else None,
            self.mlflow_ca_file,
            self.mlflow_timeout_seconds,
        )
