"""One call of a model, and the spans that tell of it: what all prediction routes do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from opentelemetry.trace import Span, Tracer, get_current_span
from starlette.background import BackgroundTask

from offpath import attributes
from offpath.attributes import trace_tag
from prediction_api.http.body import read_body
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.loader import ModelLoader
from prediction_api.models.served import ServedModel
from prediction_api.routing.model_selector import read_selector
from prediction_api.routing.variants import Variants
from prediction_api.settings import ApiSettings
from prediction_api.shadow import Answered, Shadows

T = TypeVar("T")
# A protocol's two halves: from a request's body to the model's inputs, and from its outputs to an answer.
Read = Callable[[ServedModel, bytes], Batch]
Form = Callable[[ServedModel, Outputs, int], T]


@dataclass(frozen=True, slots=True)
class Called(Generic[T]):
    """What a model answered. span: the request's. behind: what the response is to bring with it, for its shadows."""

    served: ServedModel
    span: Span
    outputs: Outputs
    records: int
    answer: T
    behind: BackgroundTask | None

    def conclude(self, written: bytes, label: str | None) -> None:
        """Note the answer as it is written, and the label where it is that of a single record."""
        self.span.set_attribute(attributes.SPAN_OUTPUTS, written.decode())
        if label is not None:
            self.span.set_attribute(trace_tag("prediction"), label)


async def call_model(request: Request, name: str, read: Read, form: Form[T]) -> Called[T]:
    """Read the request, call the selected version once, and format its outputs. Raises PredictionApiError."""
    span, tracer = get_current_span(), request.app.state.tracer
    body = await _body(request, span)
    variants, served = _choose(request, name, span)
    batch = _validate(tracer, served, body, read)
    outputs, answer = _predict(tracer, served, batch, form)
    behind = None
    if variants.shadows and batch.records:
        shadows: Shadows = request.app.state.shadows
        experiment = _experiment(request, name)
        answered = Answered(served, outputs, batch.records, body, read, span.get_span_context(), experiment)
        behind = shadows.behind(answered, variants.shadows, span)
    return Called(served, span, outputs, batch.records, answer, behind)


def _choose(request: Request, name: str, span: Span) -> tuple[Variants, ServedModel]:
    loader: ModelLoader = request.app.state.loader
    selector = read_selector(request)
    if selector.session_id:
        span.set_attribute(attributes.SESSION, selector.session_id)
    variants = loader.catalog.find(name)
    served = variants.choose(selector)
    span.set_attributes(
        {
            attributes.EXPERIMENT: _experiment(request, name),
            trace_tag("model"): served.name,
            trace_tag("model_version"): served.version.number,
            trace_tag("alias"): served.alias,
        }
    )
    return variants, served


def _experiment(request: Request, name: str) -> str:
    return f"{request.app.state.experiment}/{name}"


async def _body(request: Request, span: Span) -> bytes:
    settings: ApiSettings = request.app.state.settings
    body = await read_body(request, settings.max_body_bytes)
    # The body is JSON text already, which is what MLflow wants: it is not written a second time.
    span.set_attribute(attributes.SPAN_INPUTS, body.decode(errors="replace"))
    return body


def _validate(tracer: Tracer, served: ServedModel, body: bytes, read: Read) -> Batch:
    with tracer.start_as_current_span("validate", attributes={attributes.SPAN_TYPE: "PARSER"}) as span:
        batch = read(served, body)
        span.set_attribute(attributes.SPAN_OUTPUTS, f'{{"records": {batch.records}}}')
    return batch


def _predict(tracer: Tracer, served: ServedModel, batch: Batch, form: Form[T]) -> tuple[Outputs, T]:
    described = {
        attributes.SPAN_TYPE: "TASK",
        attributes.SPAN_INPUTS: f'{{"records": {batch.records}}}',
        **attributes.of_model(served.name, served.version.number, served.alias),
    }
    with tracer.start_as_current_span(served.name, attributes=described):
        outputs = served.predictor.run(batch) if batch.values else {}
        return outputs, form(served, outputs, batch.records)
