"""From a request's body to a model's inputs."""

from typing import Any

from pydantic_core import from_json

from offpath.contracts.model_manifest import Signature
from prediction_api.errors import INVALID_PARAMETER_VALUE, ScoringError
from prediction_api.inputs.batch import Batch
from prediction_api.scoring.columns import ColumnReader
from prediction_api.scoring.content_type import CSV, JSON
from prediction_api.scoring.csv_text import csv_frame
from prediction_api.scoring.tensors import TensorReader

FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")


def read_request(signature: Signature, body: bytes, content_type: str, max_records: int) -> Batch:
    """The model's inputs. content_type: `application/json` or `text/csv`. Raises ScoringError."""
    if content_type == CSV:
        return _read_csv(signature, body, max_records)
    document = _document(body)
    forms = [form for form in FORMS if form in document]
    if len(forms) != 1:
        raise ScoringError(f"expected exactly one of the fields {', '.join(FORMS)}, got {sorted(document)[:20]}")
    _check_params(document.get("params"))
    reader: ColumnReader | TensorReader = (
        TensorReader(signature.tensors, max_records)
        if signature.tensors
        else ColumnReader(signature.columns, max_records)
    )
    return reader.read(forms[0], document[forms[0]])


def _read_csv(signature: Signature, body: bytes, max_records: int) -> Batch:
    if signature.tensors:
        raise ScoringError(f"the model takes tensors, which CSV cannot say; send {JSON}")
    return ColumnReader(signature.columns, max_records).batch(csv_frame(body, signature.columns))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = from_json(body)
    except ValueError as error:
        raise ScoringError(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ScoringError(f"expected a JSON object with one of the fields {', '.join(FORMS)}, got another JSON value")
    return document


def _check_params(params: Any) -> None:
    if params not in (None, {}):
        raise ScoringError("params: this model takes none; leave them out", INVALID_PARAMETER_VALUE)
