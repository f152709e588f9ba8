"""Note of each traced HTTP request who called it and how it was answered, whatever serves it."""

from collections.abc import Mapping

from opentelemetry.trace import Span, Status, StatusCode, format_trace_id

from offpath import attributes
from offpath.attributes import CALLER_HEADERS, LONGEST_CALLER_HEADER, trace_tag

TRACE_ID_HEADER = "x-trace-id"
"""The header of an answer that has MLflow's id of its trace."""
REFUSED, FAILED = 400, 500


def outcome(status: int) -> str | None:
    """Return the outcome of a request that was answered with that status: `refused`, `failed`, or None if answered."""
    if status >= FAILED:
        return "failed"
    return "refused" if status >= REFUSED else None


def note_status(span: Span, status: int, reason: str | None = None) -> None:
    """Note the status of an answer: of a server's span, only a 5xx is an error, and has a reason.

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
    """
    span.set_attribute("http.response.status_code", status)
    if found := outcome(status):
        span.set_attribute(trace_tag(attributes.OUTCOME), found)
    if status >= FAILED:
        span.set_status(Status(StatusCode.ERROR, reason))


def header_text(value: bytes) -> str:
    """Return a header's value as text: UTF-8 where it is that, as most clients send names, else Latin-1.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.5 leaves bytes above ASCII open.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def caller_attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what the headers, whose names are in lower case, say of the caller: the first 250 characters of each."""
    return {key: headers[name][:LONGEST_CALLER_HEADER] for name, key in CALLER_HEADERS.items() if headers.get(name)}


def mlflow_trace_id(span: Span) -> str | None:
    """Return MLflow's id of the span's trace; None for a span that is not traced."""
    context = span.get_span_context()
    return f"tr-{format_trace_id(context.trace_id)}" if context.is_valid else None
