"""Set up off-path tracing: an OpenTelemetry tracer provider whose traces go to SQS after the response."""

import atexit
import logging
from collections.abc import Mapping
from functools import partial
from urllib.parse import unquote

from opentelemetry import trace
from opentelemetry.sdk.environment_variables import OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from offpath.aws.clients import new_session, s3_client, sqs_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.errors import Transient
from offpath.tracing import _installed
from offpath.tracing._background_thread import BackgroundThread
from offpath.tracing._collector import TraceCollector
from offpath.tracing._destinations import Destinations
from offpath.tracing._event_sequence import EventSequence, SystemRandomIds
from offpath.tracing._extensions_api import ExtensionsApi
from offpath.tracing._lambda_extension import ExtensionSettings, LambdaExtension
from offpath.tracing._process_copy import in_each_child
from offpath.tracing._process_worker import ProcessWorker
from offpath.tracing._publisher import PublisherSettings, TracePublisher
from offpath.tracing._receipts import Receipts
from offpath.tracing._renewable_publisher import RenewablePublisher
from offpath.tracing._settings import TracedModels, TracingSettings
from offpath.tracing._snapshots import at_snapshot, is_snapshotted
from offpath.tracing._tracing import CLOSE_SECONDS, Tracing, TracingChoices
from offpath.tracing._workers import BackgroundWorker, InRequest, Publisher

MANAGED_INSTANCES = "lambda-managed-instances"

_log = logging.getLogger(__name__)


def install(environ: Mapping[str, str], *, service_name: str, provider: TracerProvider | None = None) -> Tracing:
    """Set up tracing for this process: its traces go to the SQS queue that `OFFPATH_QUEUE_URL` names.

        tracing = offpath.install(os.environ, service_name="fraud-api")

    Call it once, while the process starts. It starts what sends the traces: Lambda's extension within Lambda, else a
    background thread; both end with the process, after they have sent what is left. `traced` makes its spans with the
    tracing that was installed last.

    environ: the variables that hold the settings; `OFFPATH_QUEUE_URL` and `OFFPATH_BUCKET` are required.
    `OTEL_RESOURCE_ATTRIBUTES` is read from it, too; with `OTEL_SDK_DISABLED=true` or `OFFPATH_TRACING=off` nothing is
    sent. service_name: the traces' `service.name`, unless the provider names another one. provider: the process's own,
    whose spans are sent, too; without one a new one is made, and becomes OpenTelemetry's global one unless there is
    one.

    Raises SettingsError, which names the variable, its value and what is wrong with it.
    """
    settings = TracingSettings.load(environ)
    choices = _choices(settings, environ)
    if provider is None:
        provider = new_provider(service_name, environ, choices.sampler)
        _make_global(provider)
    event_sequence = EventSequence()
    collector = TraceCollector(event_sequence, choices.wants, continues_experiment=choices.continues)
    make = partial(_publisher, settings, service_name)
    publisher = RenewablePublisher(make, make())
    started = start_worker(publisher, collector, settings, environ)
    if isinstance(started, LambdaExtension):
        collector.describe_invocations_by(started.of_invocation)
    worker = ProcessWorker(started, partial(_start_in_child, settings, service_name, environ))
    receipts = _receipts(worker, settings, isinstance(started, LambdaExtension))
    collector.deliver_to(receipts.submit if receipts else worker.submit, worker.flush)
    provider.add_span_processor(collector)
    tracing = Tracing(provider, worker, collector, choices, receipts)
    _installed.add(tracing)
    atexit.register(tracing.shutdown)
    worker.at_end(tracing.shutdown)
    anew = [event_sequence.begin_anew, collector.begin_anew]
    for begin_anew in (*anew, worker.begin_anew):
        in_each_child(begin_anew)
    if is_snapshotted(environ):
        of_extension = [started.begin_anew] if isinstance(started, LambdaExtension) else []
        at_snapshot(partial(_publish_for_snapshot, tracing), [*anew, publisher.renew, *of_extension])
    return tracing


def new_provider(
    service_name: str, environ: Mapping[str, str] | None = None, sampler: Sampler = ALWAYS_ON
) -> TracerProvider:
    """Return a tracer provider that records every span, also for a caller whose `traceparent` asks for no sampling.

    Its resource is the service's name and what `OTEL_RESOURCE_ATTRIBUTES` names, each of which is a tag in MLflow.
    """
    return TracerProvider(
        sampler=sampler,
        resource=Resource({**_resource_attributes(environ or {}), SERVICE_NAME: service_name}),
        shutdown_on_exit=False,
        id_generator=SystemRandomIds(),
    )


def start_worker(
    publisher: Publisher, collector: TraceCollector, settings: TracingSettings, environ: Mapping[str, str]
) -> BackgroundWorker:
    """Start the worker for this place: Lambda's extension where one may register, else a background thread.

    Lambda Managed Instances refuse extensions that wait for invocations, and never freeze a process
    (https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-runtimes.html).
    """
    runtime_api = environ.get("AWS_LAMBDA_RUNTIME_API")
    if runtime_api and environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == MANAGED_INSTANCES:
        _log.warning("this is a Lambda Managed Instance: a background thread sends the traces")
        runtime_api = None
    if not runtime_api:
        return BackgroundThread(publisher, most_bytes=settings.backlog_bytes).start()
    how = ExtensionSettings(
        settings.delivery == "before_response",
        settings.flush_margin_seconds,
        settings.backlog_bytes,
        is_snapshotted(environ),
    )
    try:
        return LambdaExtension(publisher, ExtensionsApi(runtime_api), collector, how).start()
    except Transient as error:
        _log.warning("%s; traces are sent before the response instead", error)
        return InRequest(publisher)


def _publish_for_snapshot(tracing: Tracing) -> None:
    """Publish what is open or waits: in the snapshot, each environment would have it."""
    for unfinished in tracing.collector.unfinished("a snapshot was taken before the request ended"):
        tracing.worker.submit(unfinished)
    tracing.worker.flush(CLOSE_SECONDS)


def _choices(settings: TracingSettings, environ: Mapping[str, str]) -> TracingChoices:
    disabled = environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true"
    models = TracedModels(by_default=False) if disabled else TracedModels.parse(settings.tracing)
    return TracingChoices(settings.experiment, settings.traceparent, models)


def _make_global(provider: TracerProvider) -> None:
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    else:
        _log.warning(
            "OpenTelemetry has a global tracer provider already; its spans, such as those of instrumentations, are not "
            "sent. To send them: install(…, provider=opentelemetry.trace.get_tracer_provider())"
        )


def _resource_attributes(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what OTEL_RESOURCE_ATTRIBUTES names, as OpenTelemetry reads it.

    https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
    """
    pairs = (pair.partition("=") for pair in environ.get(OTEL_RESOURCE_ATTRIBUTES, "").split(","))
    return {key.strip(): unquote(value.strip()) for key, equals, value in pairs if key.strip() and equals}


def _start_in_child(settings: TracingSettings, service_name: str, environ: Mapping[str, str]) -> BackgroundWorker:
    """Start the worker of a forked child: one that Lambda may freeze sends at once, any other one by a thread."""
    publisher = RenewablePublisher(lambda: _publisher(settings, service_name, in_child=True))
    if environ.get("AWS_LAMBDA_RUNTIME_API"):
        return InRequest(publisher)
    try:
        return BackgroundThread(publisher, most_bytes=settings.backlog_bytes).start()
    except RuntimeError:  # the interpreter is about to end, and starts no thread any more
        return InRequest(publisher)


def _receipts(worker: BackgroundWorker, settings: TracingSettings, is_extension: bool) -> Receipts | None:
    """Return what waits for receipts, outside Lambda: there the handler's wrapper publishes before it returns."""
    if settings.delivery == "after_response" or is_extension:
        return None
    return Receipts(worker)


def _publisher(settings: TracingSettings, service_name: str, *, in_child: bool = False) -> TracePublisher:
    timeout, session = settings.publish_budget_seconds, new_session() if in_child else None
    bucket = Bucket(s3_client(timeout, 1, session), settings.bucket)
    queue = SqsQueue(sqs_client(timeout, 1, session), settings.queue_url)
    how = PublisherSettings(
        queue_name=settings.queue_url.rsplit("/", 1)[-1],
        experiment=settings.experiment,
        max_message_bytes=settings.max_message_bytes,
        budget_seconds=settings.publish_budget_seconds,
        service_name=service_name,
    )
    return TracePublisher(Destinations(queue, S3Claims(bucket), bucket), how)
