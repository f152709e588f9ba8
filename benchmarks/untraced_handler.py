"""The prediction API as `prediction_api.handler` composes it, without tracing: what the others are compared with."""

import os
from collections.abc import Sequence
from typing import Any

from mangum import Mangum
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracer, Tracer

from offpath.aws import Bucket, s3_client
from offpath.otlp import EndedTrace
from offpath.tracing import Tracing
from offpath.workers import InRequest
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.adapters.s3_models import S3Models
from prediction_api.app import create_app
from prediction_api.loader import ModelLoader
from prediction_api.settings import ApiSettings


class NoOpProvider(TracerProvider):
    """Gives OpenTelemetry's tracer that does nothing."""

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        """A tracer whose spans record nothing."""
        return NoOpTracer()


def no_traces(_: Sequence[EndedTrace]) -> None:
    """There are none to publish."""


settings = ApiSettings.load(os.environ)
tracing = Tracing(NoOpProvider(shutdown_on_exit=False), InRequest(no_traces))
loader = ModelLoader(
    S3Models(Bucket(s3_client(), settings.bucket)),
    OnnxModel,
    max_records=settings.max_records,
    refresh_seconds=settings.model_refresh_seconds,
)
loader.refresh()
app = create_app(loader, tracing, settings)
handler = Mangum(app, lifespan="off")
