"""Compose the prediction API as `prediction_api.handler` does, but without tracing: others are compared with it."""

import os
from collections.abc import Sequence

from mangum import Mangum
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracer, Tracer

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.tracing import Tracing
from offpath.tracing._collector import TraceCollector
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._workers import InRequest
from prediction_api.adapters.onnx_model import load_model
from prediction_api.adapters.s3_models import S3Models
from prediction_api.http.app import create_app
from prediction_api.models.loader import ModelLoader
from prediction_api.settings import ApiSettings


class Untraced(Tracing):
    """Give OpenTelemetry's tracer that does nothing."""

    def tracer(self, name: str) -> Tracer:  # noqa: ARG002
        """Return a tracer whose spans record nothing."""
        return NoOpTracer()


def no_traces(_: Sequence[EndedTrace]) -> None:
    """Publish nothing: there are no traces."""


settings = ApiSettings.load(os.environ)
worker = InRequest(no_traces)
tracing = Untraced(TracerProvider(shutdown_on_exit=False), worker, TraceCollector(worker.submit, EventSequence()))
loader = ModelLoader(
    S3Models(Bucket(s3_client(), settings.bucket)),
    load_model,
    max_records=settings.max_records,
    refresh_seconds=settings.model_refresh_seconds,
)
loader.refresh()
app = create_app(loader, tracing, settings)
handler = Mangum(app, lifespan="off")
