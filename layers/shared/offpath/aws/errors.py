"""Translate the AWS SDK's errors into this package's own, once."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from offpath.contracts.errors import ObjectMissing, Transient

_MISSING = {"NoSuchKey", "404", "ResourceNotFoundException"}


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise the SDK's errors as ObjectMissing, for a key or a secret, or Transient.

    A permission or a bucket that is missing is Transient, too: it is mended without the message.
    """
    try:
        yield
    except ClientError as error:
        kind = ObjectMissing if error_code(error) in _MISSING else Transient
        raise kind(f"{doing}: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise Transient(f"{doing}: {error}") from error


def error_code(cause: BaseException | None) -> str:
    """Return the code of an SDK's error, such as `NoSuchKey`; empty for any other cause."""
    return cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
