"""Compose the prediction API as `prediction_api.handler` does, but without tracing: others are compared with it."""

import os

from mangum import Mangum
from opentelemetry.trace import NoOpTracer, Tracer

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.testing import RecordingTracing
from prediction_api.adapters.onnx_model import load_model
from prediction_api.adapters.s3_models import S3Models
from prediction_api.http.app import create_app
from prediction_api.models.loader import ModelLoader
from prediction_api.settings import ApiSettings


class Untraced(RecordingTracing):
    """Give OpenTelemetry's tracer that does nothing."""

    def tracer(self, name: str) -> Tracer:  # noqa: ARG002
        """Return a tracer whose spans record nothing."""
        return NoOpTracer()


settings = ApiSettings.load(os.environ)
tracing = Untraced()
loader = ModelLoader(
    S3Models(Bucket(s3_client(), settings.bucket)),
    load_model,
    max_records=settings.max_records,
    refresh_seconds=settings.model_refresh_seconds,
)
loader.refresh()
app = create_app(loader, tracing, settings)
handler = Mangum(app, lifespan="off")
