"""From a prediction request to its answer: the steps that all protocols share, and the spans that tell of them."""

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Span, Tracer, get_current_span
from pydantic_core import to_json

from offpath import attributes
from offpath.attributes import trace_tag
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.loader import ModelLoader
from prediction_api.models.served import ServedModel
from prediction_api.models.variants import Variants
from prediction_api.prediction_protocol import FormattedPredictions, PredictionProtocol, PredictionRequest
from prediction_api.routing.model_selector import read_selector
from prediction_api.shadow import AnsweredRequest, Shadows


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

    def run(self, request: PredictionRequest, protocol: PredictionProtocol) -> PredictionResult:
        """Read the inputs, call the selected version once, and format its outputs.

        The current span is the request's; each step has a span below it. Raises PredictionApiError.
        """
        span = get_current_span()
        span.set_attribute(attributes.SPAN_INPUTS, protocol.trace_inputs(request))
        variants, served = self._select(request, span)
        batch = self._read(served, request, protocol)
        outputs, formatted = self._predict(served, batch, protocol)
        # A number that is not finite has no word in JSON: MLflow's clients read null as NaN.
        content = to_json(formatted.predictions, inf_nan_mode="null")
        span.set_attribute(attributes.SPAN_OUTPUTS, content.decode())
        if formatted.label is not None:
            span.set_attribute(trace_tag("prediction"), formatted.label)
        background = None
        if variants.shadows and batch.records:
            answered = AnsweredRequest(request, protocol, served, outputs, batch.records, self._experiment_of(request))
            background = self._shadows.plan(answered, variants.shadows, span)
        return PredictionResult(served, content, background)

    def _select(self, request: PredictionRequest, span: Span) -> tuple[Variants, ServedModel]:
        selector = read_selector(request.query, request.headers)
        if selector.session_id:
            span.set_attribute(attributes.SESSION, selector.session_id)
        variants = self._loader.catalog.find(request.model)
        served = variants.select(selector)
        span.set_attributes(
            {
                attributes.EXPERIMENT: self._experiment_of(request),
                trace_tag("model"): served.name,
                trace_tag("model_version"): served.version.number,
                trace_tag("alias"): served.alias,
            }
        )
        return variants, served

    def _experiment_of(self, request: PredictionRequest) -> str:
        return f"{self._experiment}/{request.model}"

    def _read(self, served: ServedModel, request: PredictionRequest, protocol: PredictionProtocol) -> Batch:
        with self._tracer.start_as_current_span("validate", attributes={attributes.SPAN_TYPE: "PARSER"}) as span:
            batch = protocol.read(served, request)
            span.set_attribute(attributes.SPAN_OUTPUTS, f'{{"records": {batch.records}}}')
        return batch

    def _predict(
        self, served: ServedModel, batch: Batch, protocol: PredictionProtocol
    ) -> tuple[Outputs, FormattedPredictions]:
        described = {
            attributes.SPAN_TYPE: "TASK",
            attributes.SPAN_INPUTS: f'{{"records": {batch.records}}}',
            **attributes.of_model(served.name, served.version.number, served.alias),
        }
        with self._tracer.start_as_current_span(served.name, attributes=described):
            outputs = served.predictor.run(batch) if batch.values else {}
            return outputs, protocol.format(served, outputs, batch.records)
