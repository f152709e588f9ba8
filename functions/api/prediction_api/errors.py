"""The prediction API's errors, by what becomes of the request.

    OffpathError
    ├── PredictionApiError          a request that does not get the answer it asks for
    │   ├── MalformedBody               the body is not JSON, or cannot be unpacked
    │   ├── NotJson                     the body is of a type that is not JSON, and says so
    │   ├── UnsupportedContentEncoding  the body is packed in a way that is not known here
    │   ├── BodyTooLarge                the body has more bytes than are taken
    │   ├── InvalidInputs               the request was read, but a signature, a recipe or a limit forbids it
    │   ├── AmbiguousSelection          the query selects a model version in two ways
    │   ├── ScoringError                MLflow's scoring protocol forbids it, with one of MLflow's error codes
    │   │   └── UnsupportedContentType      the body is of a type that the protocol does not have
    │   ├── UnknownModel                no model of that name is served
    │   ├── UnknownVariant              the model has no such alias or version
    │   ├── UnknownRecipe               no recipe of that name can be trained
    │   ├── UnknownJob                  there is no training job of that id
    │   ├── TrainingNotConfigured       this deployment takes no training jobs
    │   ├── Unavailable                 it may be answered later: `retry_after_seconds`
    │   │   ├── ModelUnavailable            the manifest or a model's file cannot be used now
    │   │   └── TrainingUnavailable         S3, SQS or the training worker cannot be reached now
    │   └── InternalError               a model or the service itself failed
    └── ModelUnusable               a version's files are damaged or do not run: the loader keeps the version before

The core raises them and knows no HTTP. Two modules turn them into responses, one for each form of error document:
`prediction_api.http.problems` and `prediction_api.http.scoring_errors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from offpath.contracts.errors import OffpathError

# A message of the scoring protocol quotes names that a request made up, of any length.
MAX_SCORING_MESSAGE = 1_000
# The `content-encoding` that a body may have.
ENCODINGS = "gzip or deflate"
# In characters, of what an error quotes of a header.
MAX_QUOTED = 100

# BAD_REQUEST: it could not be read as what the form says, or as the type that the signature says.
# INVALID_PARAMETER_VALUE: it was read, but is not what the signature asks for.
ScoringCode = Literal["BAD_REQUEST", "INVALID_PARAMETER_VALUE"]
BAD_REQUEST: ScoringCode = "BAD_REQUEST"
INVALID_PARAMETER_VALUE: ScoringCode = "INVALID_PARAMETER_VALUE"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong. field: its path in the request body, as `inputs[0].petal_length`."""

    field: str
    message: str


class PredictionApiError(OffpathError):
    """A request that does not get the answer it asks for. detail: a sentence for the caller."""

    errors: Sequence[FieldError] = ()

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class MalformedBody(PredictionApiError):
    """The body is not JSON, or cannot be unpacked."""


class NotJson(PredictionApiError):
    """The body is of a type that is not JSON, and its `content-type` says so."""


class UnsupportedContentEncoding(PredictionApiError):
    """The body is packed in a way that is not known here."""

    def __init__(self, given: str) -> None:
        super().__init__(f"content-encoding {given[:MAX_QUOTED]!r} is not taken here; send {ENCODINGS}, or none")


class BodyTooLarge(PredictionApiError):
    """The body has more bytes than are taken."""

    def __init__(self, max_bytes: int, advice: str) -> None:
        super().__init__(f"the body is larger than {max_bytes} bytes, the most that is taken; {advice}")
        self.max_bytes = max_bytes


class InvalidInputs(PredictionApiError):
    """The request was read, but a signature, a recipe or a limit forbids it. errors: the fields that are wrong."""

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class AmbiguousSelection(PredictionApiError):
    """The query selects a model version in two ways."""


class ScoringError(PredictionApiError):
    """MLflow's scoring protocol forbids the request. code: MLflow's name for the reason."""

    def __init__(self, message: str, code: ScoringCode = BAD_REQUEST) -> None:
        super().__init__(message[:MAX_SCORING_MESSAGE])
        self.code = code


class UnsupportedContentType(ScoringError):
    """The body is of a type that the protocol does not have."""


class UnknownModel(PredictionApiError):
    """No model of that name is served. models: the names that are."""

    def __init__(self, detail: str, models: Sequence[str]) -> None:
        super().__init__(detail)
        self.models = models


class UnknownVariant(PredictionApiError):
    """The model has no such alias or version."""


class UnknownRecipe(PredictionApiError):
    """No recipe of that name can be trained. recipes: the names that can."""

    def __init__(self, detail: str, recipes: Sequence[str]) -> None:
        super().__init__(detail)
        self.recipes = recipes


class UnknownJob(PredictionApiError):
    """There is no training job of that id."""


class TrainingNotConfigured(PredictionApiError):
    """This deployment takes no training jobs."""


class Unavailable(PredictionApiError):
    """The request cannot be answered now. retry_after_seconds: when it may be."""

    retry_after_seconds: int


class ModelUnavailable(Unavailable):
    """The manifest or a model's file cannot be used now."""

    retry_after_seconds = 60


class TrainingUnavailable(Unavailable):
    """S3, SQS or the training worker cannot be reached now."""

    retry_after_seconds = 30


class InternalError(PredictionApiError):
    """A model or the service itself failed: the trace says how."""


def is_refusal(error: BaseException) -> bool:
    """Return whether it is the request's own fault that it gets no answer, so that nothing here has failed."""
    return isinstance(error, PredictionApiError) and not isinstance(
        error, Unavailable | InternalError | TrainingNotConfigured
    )


class ModelUnusable(OffpathError):
    """A version's files are not those in the manifest, or do not run."""
