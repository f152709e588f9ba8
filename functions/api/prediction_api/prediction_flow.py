"""From a prediction request to its answer: the steps that all protocols share, and the spans that tell of them."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from opentelemetry.trace import NoOpTracer, Span, Status, StatusCode, Tracer, get_current_span
from pydantic_core import to_json

from offpath import attributes
from offpath.attributes import trace_tag
from offpath.contracts.names import model_experiment, shadow_experiment
from prediction_api.errors import is_refusal
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.inputs.json_body import as_json_text
from prediction_api.models.loader import ModelLoader
from prediction_api.models.served import ServedModel
from prediction_api.models.variants import Variants
from prediction_api.prediction_protocol import FormattedPredictions, PredictionProtocol, PredictionRequest
from prediction_api.routing.caller_headers import check_caller_headers
from prediction_api.routing.model_selector import read_selector
from prediction_api.shadow import AnsweredRequest, Shadows

_UNTRACED = NoOpTracer()


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """The predictions of one version.

    content: the predictions as JSON. background: to be called once the response is sent, or None.
    """

    served: ServedModel
    content: bytes
    background: Callable[[], None] | None


class PredictionFlow:
    """Answers prediction requests. experiment: the MLflow experiment above those of each model."""

    def __init__(self, loader: ModelLoader, shadows: Shadows, tracer: Tracer, experiment: str) -> None:
        self._loader = loader
        self._shadows = shadows
        self._tracer = tracer
        self._experiment = experiment

    def trace_attributes(self, model: str) -> dict[str, str]:
        """Return what the trace of a request to that model is told at its start: where it lies, and whose it is.

        A name that is no model's becomes neither an experiment nor a tag.
        """
        if model not in self._loader.catalog.models:
            return {attributes.EXPERIMENT: self._experiment}
        return {
            attributes.TRACE_NAME: model,
            attributes.EXPERIMENT: model_experiment(self._experiment, model),
            trace_tag("model"): model,
        }

    def run(self, request: PredictionRequest, protocol: PredictionProtocol) -> PredictionResult:
        """Read the inputs, call the selected version once, and format its outputs.

        The current span is the request's, with the attributes of `trace_attributes`; each step has a span below it,
        unless the request has none. Raises PredictionApiError.
        """
        span = get_current_span()
        inputs = protocol.trace_inputs(request)
        span.set_attribute(attributes.SPAN_INPUTS, inputs)
        try:
            return self._run(request, protocol, span)
        except Exception:
            # Only what was answered is sure to be JSON. MLflow takes no trace whose inputs look like JSON and nest too
            # deeply to be read.
            span.set_attribute(attributes.SPAN_INPUTS, as_json_text(inputs))
            raise

    def _run(self, request: PredictionRequest, protocol: PredictionProtocol, span: Span) -> PredictionResult:
        tracer = self._tracer if span.is_recording() else _UNTRACED
        variants, served = self._select(request, span)
        batch = _read(tracer, served, request, protocol)
        outputs, formatted = _predict(tracer, served, batch, protocol)
        # A number that is not finite has no word in JSON: MLflow's clients read null as NaN.
        content = to_json(formatted.predictions, inf_nan_mode="null")
        span.set_attribute(attributes.SPAN_OUTPUTS, content.decode())
        if formatted.label is not None:
            span.set_attribute(trace_tag("prediction"), formatted.label)
        background = None
        if variants.shadows and batch.records and span.is_recording():
            experiment = shadow_experiment(self._experiment, request.model)
            answered = AnsweredRequest(request, protocol, served, outputs, batch.records, experiment)
            background = self._shadows.plan(answered, variants.shadows, span)
        return PredictionResult(served, content, background)

    def _select(self, request: PredictionRequest, span: Span) -> tuple[Variants, ServedModel]:
        check_caller_headers(request.headers)
        selector = read_selector(request.query, request.headers)
        variants = self._loader.catalog.find(request.model)
        served = variants.select(selector)
        span.set_attribute(trace_tag("model_version"), served.version.number)
        span.set_attribute(trace_tag("alias"), served.alias)
        return variants, served


def _read(tracer: Tracer, served: ServedModel, request: PredictionRequest, protocol: PredictionProtocol) -> Batch:
    described = {attributes.SPAN_TYPE: "PARSER"}
    step = tracer.start_as_current_span("validate", attributes=described, set_status_on_exception=False)
    with step as span, _Failures(span):
        batch = protocol.read(served, request)
        span.set_attribute(attributes.SPAN_OUTPUTS, f'{{"records": {batch.records}}}')
    return batch


def _predict(
    tracer: Tracer, served: ServedModel, batch: Batch, protocol: PredictionProtocol
) -> tuple[Outputs, FormattedPredictions]:
    described = {
        attributes.SPAN_TYPE: "TASK",
        attributes.SPAN_INPUTS: f'{{"records": {batch.records}}}',
        **attributes.of_model(served.name, served.version.number, served.alias),
    }
    step = tracer.start_as_current_span(served.name, attributes=described, set_status_on_exception=False)
    with step as span, _Failures(span):
        outputs = served.predictor.run(batch) if batch.values else {}
        return outputs, protocol.format(served, outputs, batch.records)


class _Failures:
    """Makes a span an error for what its block raises, unless that is the request's own fault."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Note what leaves the block."""
        if isinstance(error, Exception) and not is_refusal(error):
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
