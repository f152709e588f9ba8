"""Set up off-path tracing: an OpenTelemetry tracer provider whose traces go to SQS behind the response."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from pydantic import Field

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import Transient
from offpath.settings import Settings
from offpath.tracing import _installed
from offpath.tracing._background_thread import BackgroundThread
from offpath.tracing._collector import TraceCollector
from offpath.tracing._destinations import Destinations
from offpath.tracing._event_sequence import EventSequence, SystemRandomIds
from offpath.tracing._extensions_api import ExtensionsApi
from offpath.tracing._lambda_extension import LambdaExtension
from offpath.tracing._light_span import LightTracer
from offpath.tracing._otlp import EndedTrace
from offpath.tracing._publisher import PublisherSettings, TracePublisher
from offpath.tracing._workers import BackgroundWorker, Handler, InRequest

CLOSE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class TracingSettings(Settings):
    """The settings of a process that emits traces."""

    queue_url: str = Field(pattern=r"^https?://", description="the URL of the SQS queue that takes trace events")
    bucket: str = Field(min_length=3, description="the S3 bucket of the archive, of large bodies and of spilled events")
    experiment: str = Field("offpath", description="the MLflow experiment of traces that do not name one")
    delivery: Literal["after_response", "before_response"] = Field(
        "after_response", description="whether the answer waits for SQS's receipt (before_response) or not"
    )
    max_message_bytes: int = Field(
        900_000, ge=1, le=1_000_000, description="the size in bytes above which a trace goes to S3 and a claim to SQS"
    )
    publish_budget_seconds: float = Field(
        2.0, gt=0, le=60, description="how long SQS is tried before a trace is kept elsewhere"
    )


@dataclass(frozen=True, slots=True)
class Tracing:
    """A tracer provider whose traces leave the process off the request path."""

    provider: TracerProvider
    worker: BackgroundWorker
    collector: TraceCollector

    def tracer(self, name: str) -> trace.Tracer:
        """Return a tracer for the instrumentation scope of that name, whose spans cost a request as little as can be.

        It records every span; a sampler of the provider's own concerns the provider's own tracers, whose spans are sent
        in the same way.
        """
        return LightTracer(name, self.provider.resource, self.provider.id_generator, self.collector)

    def lambda_handler(self, handler: Handler) -> Handler:
        """Wrap a Lambda handler, so that its traces are sent once it has returned. Required in Lambda."""
        return self.worker.wrap(handler)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call this off the request path, again and again."""
        self.worker.add_periodic_task(task)

    def shutdown(self) -> bool:
        """Send what is left. Return False if that took more than ten seconds."""
        _installed.remove(self)
        self.provider.shutdown()
        return self.worker.close(CLOSE_SECONDS)


def install(environ: Mapping[str, str], *, service_name: str, provider: TracerProvider | None = None) -> Tracing:
    """Send the traces of this process to the queue that `OFFPATH_*` variables name; `traced` makes its spans so, too.

    provider: the process's own tracer provider; without one, a new one is made and becomes OpenTelemetry's global one.
    Raises SettingsError.
    """
    settings = TracingSettings.load(environ)
    if provider is None:
        provider = new_provider(service_name)
        trace.set_tracer_provider(provider)
    publisher = _publisher(settings)
    worker = start_worker(publisher, environ.get("AWS_LAMBDA_RUNTIME_API"))
    deliver = worker.submit if settings.delivery == "after_response" else _immediately(publisher)
    collector = TraceCollector(deliver, EventSequence(), worker.flush)
    provider.add_span_processor(collector)
    tracing = Tracing(provider, worker, collector)
    _installed.add(tracing)
    return tracing


def new_provider(service_name: str) -> TracerProvider:
    """Return a tracer provider that records every span, also for a caller whose `traceparent` asks for no sampling."""
    return TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource({SERVICE_NAME: service_name}),
        shutdown_on_exit=False,
        id_generator=SystemRandomIds(),
    )


def start_worker(publisher: TracePublisher, runtime_api: str | None) -> BackgroundWorker:
    """Start the worker for this place: Lambda's extension where there is a runtime API, else a background thread."""
    if not runtime_api:
        return BackgroundThread(publisher.publish, publisher.log_unsent).start()
    try:
        return LambdaExtension(publisher.publish, ExtensionsApi(runtime_api)).start()
    except Transient as error:
        _log.warning("%s; traces are sent before the response instead", error)
        return InRequest(publisher.publish)


def _immediately(publisher: TracePublisher) -> Callable[[EndedTrace], None]:
    return lambda ended: publisher.publish([ended])


def _publisher(settings: TracingSettings) -> TracePublisher:
    timeout = settings.publish_budget_seconds
    bucket = Bucket(s3_client(timeout, attempts=1), settings.bucket)
    queue = SqsQueue(sqs_client(timeout, attempts=1), settings.queue_url)
    how = PublisherSettings(
        queue_name=settings.queue_url.rsplit("/", 1)[-1],
        experiment=settings.experiment,
        max_message_bytes=settings.max_message_bytes,
        budget_seconds=settings.publish_budget_seconds,
    )
    return TracePublisher(Destinations(queue, S3Claims(bucket), bucket), how)
