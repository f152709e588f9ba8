"""Say that a pipeline cannot be reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offpath.contracts.errors import ObjectMissing, Transient
from offpath_cli.errors import CouldNotTell

if TYPE_CHECKING:
    from offpath_cli.where import Pipeline


@contextmanager
def reaching(pipeline: "Pipeline") -> Iterator[None]:
    """Turn what says that a service does not answer, or that a bucket is missing, into CouldNotTell."""
    try:
        yield
    except (Transient, ObjectMissing) as error:
        hint = "is `make up` running?" if pipeline.s3_url else "are region and credentials those of the stack?"
        raise CouldNotTell(f"{pipeline.name} does not answer: {error}; {hint}") from error
