"""MLflow's scoring protocol as a prediction protocol: the content types, the forms of a body, the predictions."""

from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import to_json

from offpath.contracts.model_manifest import Signature
from prediction_api.errors import INVALID_PARAMETER_VALUE, MalformedBody, ScoringError, UnsupportedContentType
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.inputs.json_body import parse_json
from prediction_api.inputs.not_json import not_json
from prediction_api.models.served import ServedModel
from prediction_api.prediction_protocol import FormattedPredictions, PredictionRequest
from prediction_api.scoring.columns import ColumnReader
from prediction_api.scoring.csv_text import csv_frame
from prediction_api.scoring.format_scores import format_scores, single_label
from prediction_api.scoring.tensors import TensorReader

JSON = "application/json"
CSV = "text/csv"
FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")
_EXAMPLE = '{"dataframe_records": [{"column": value, …}, …]}'


@dataclass(frozen=True, slots=True)
class ScoringProtocol:
    """Reads and answers requests as `mlflow models serve` does. max_records: the most that one request may hold."""

    max_records: int

    def trace_inputs(self, request: PredictionRequest) -> str:
        """Return the body where it is JSON text already; CSV as a text in JSON."""
        text = request.body.decode(errors="replace")
        return to_json(text).decode() if _content_type(request).lstrip().lower().startswith(CSV) else text

    def read(self, served: ServedModel, request: PredictionRequest) -> Batch:
        """Return the model's inputs. Raises ScoringError."""
        signature = served.version.signature
        if media_type_of(_content_type(request)) == CSV:
            return self._read_csv(signature, request.body)
        form, data = _form_of(request.body)
        if signature.tensors:
            return TensorReader(signature.tensors, self.max_records).read(form, data)
        return ColumnReader(signature.columns, self.max_records).read(form, data)

    def format(self, served: ServedModel, outputs: Outputs, records: int) -> FormattedPredictions:
        """Return the field `predictions`. Raises ValueError for outputs that do not count the records."""
        scores = format_scores(served.version, outputs, records)
        return FormattedPredictions(scores, single_label(served.version, outputs, records))

    def _read_csv(self, signature: Signature, body: bytes) -> Batch:
        if signature.tensors:
            raise ScoringError(f"the model takes tensors, which CSV cannot say; send {JSON}")
        return ColumnReader(signature.columns, self.max_records).batch(csv_frame(body, signature.columns))


def media_type_of(header: str) -> str:
    """Return JSON or CSV, by a header `content-type`; JSON for an empty one.

    Raises UnsupportedContentType for other types, character sets and parameters.
    """
    media_type, *parameters = [part.strip().lower() for part in header.split(";")]
    if media_type not in {JSON, CSV, ""}:
        raise UnsupportedContentType(f"content type {media_type} is not taken here; send {JSON} or {CSV}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if (name, value.strip('"')) != ("charset", "utf-8"):
            message = f"content type parameter {parameter} is not taken here; send {JSON}, in UTF-8"
            raise UnsupportedContentType(message)
    return media_type or JSON


def _content_type(request: PredictionRequest) -> str:
    return request.headers.get("content-type", "")


def _form_of(body: bytes) -> tuple[str, JsonValue]:
    """Return the form that the body has, and what is in it."""
    document = _document(body)
    forms = [form for form in FORMS if form in document]
    if len(forms) != 1:
        raise ScoringError(f"expected exactly one of the fields {', '.join(FORMS)}, got {sorted(document)[:20]}")
    if document.get("params") not in (None, {}):
        raise ScoringError("params: this model takes none; leave them out", INVALID_PARAMETER_VALUE)
    return forms[0], document[forms[0]]


def _document(body: bytes) -> dict[str, JsonValue]:
    try:
        document = parse_json(body)
    except MalformedBody as error:
        raise ScoringError(not_json(error, body, JSON, _EXAMPLE).detail) from error
    if not isinstance(document, dict):
        raise ScoringError(f"expected a JSON object with one of the fields {', '.join(FORMS)}, got another JSON value")
    return document
