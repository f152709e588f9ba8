"""Tell whether an answer to spans is the receipt that OTLP defines.

Anything may answer 200 at MLflow's address: a proxy's page, a login form, a server of another kind.
https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from http import HTTPStatus

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from offpath.contracts.errors import Rejected
from offpath.mlflow.http import Answer
from trace_writer.adapters.mlflow_api import shown
from trace_writer.tracker import TrackerUnavailable

_MEDIA_TYPE = "application/x-protobuf"


def check_stored(answer: Answer) -> None:
    """Return if the answer says that all spans are stored.

    Raises Rejected if it says that some are not, and TrackerUnavailable if it is of something else than OTLP.
    """
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status != HTTPStatus.OK or media_type != _MEDIA_TYPE:
        raise _no_receipt(answer, f"its type is {media_type!r}, not {_MEDIA_TYPE!r}")
    try:
        success = ExportTraceServiceResponse.FromString(answer.body).partial_success
    except DecodeError as error:
        raise _no_receipt(answer, f"it is no OTLP message: {error}") from error
    if success.rejected_spans:
        raise Rejected(f"MLflow rejected {success.rejected_spans} span(s): {success.error_message[:500]}")


def _no_receipt(answer: Answer, reason: str) -> TrackerUnavailable:
    return TrackerUnavailable(
        f"{shown(answer)} is no receipt for spans ({reason}); does MLflow answer there? Check OFFPATH_MLFLOW_URL"
    )
