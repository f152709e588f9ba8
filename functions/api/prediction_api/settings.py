"""The prediction API's settings, beside those of tracing."""

from pydantic import Field

from offpath.settings import Settings


class ApiSettings(Settings):
    """Settings of the prediction API."""

    bucket: str = Field(min_length=3, description="the S3 bucket that holds the model manifest and the models")
    training_queue_url: str | None = Field(
        None, description="the URL of the SQS queue of training jobs; without it, none are taken"
    )
    experiment: str = Field("offpath", description="the MLflow experiment above those of each model")
    api_key_digests: str = Field(
        "",
        pattern=r"^([0-9a-fA-F]{64}(\s*,\s*[0-9a-fA-F]{64})*)?$",
        description="SHA-256 digests of API keys in hex, with commas between them; without one, the API is open",
    )
    cors_origins: str = Field(
        "",
        pattern=r"^(https?://[^\s,/*]+(:\*)?(\s*,\s*https?://[^\s,/*]+(:\*)?)*)?$",
        description="origins whose pages may call the API, with commas between them; behind API Gateway, leave it out",
    )
    max_records: int = Field(1_000, ge=1, description="the most records that one request may hold")
    max_body_bytes: int = Field(
        6_000_000, ge=1, description="the most bytes that a request's body may have (Lambda takes 6 MB)"
    )
    model_refresh_seconds: float = Field(15, gt=0, description="how often, at most, the manifest is read again")
    onnx_threads: int | None = Field(
        None,
        ge=1,
        le=64,
        description="the threads within one call of a model, instead of one for each CPU that Lambda gives",
    )

    @property
    def digests(self) -> list[str]:
        """Return the digests, one by one."""
        return _listed(self.api_key_digests)

    @property
    def origins(self) -> list[str]:
        """Return the origins, one by one."""
        return _listed(self.cors_origins)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
