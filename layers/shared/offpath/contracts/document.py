"""Read and write JSON documents that one part of the pipeline writes to S3 and another one reads.

A reader takes every schema that may still be there, and passes over fields that it does not know. It keeps those
fields, so that a document that it writes back loses nothing of a newer writer's.
"""

from collections.abc import Callable, Collection
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from offpath.contracts.errors import OffpathError, UnknownSchema


class Part(BaseModel):
    """Keep the fields of a document, or of an object in it, the unknown ones included."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="allow")

    def to_json(self) -> bytes:
        """Return the document as it is stored: the same content is the same bytes."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


P = TypeVar("P", bound=BaseModel)


def parse(model: type[P], content: bytes, error: Callable[[str], OffpathError]) -> P:
    """Read a document. Raises the error, made of a text that names the first field that is wrong."""
    try:
        return model.model_validate_json(content)
    except ValidationError as found:
        raise error(complaint(found)) from found


def complaint(error: ValidationError) -> str:
    """Return where the first thing is wrong, and what it is."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole document"
    return f"{where}: {first['msg']}"


def check_known(what: str, found: str, known: Collection[str]) -> None:
    """Raise UnknownSchema for a value that only a newer version can have written. what: names it in the message."""
    if found not in known:
        readable = ", ".join(map(repr, known))
        raise UnknownSchema(
            f"{what} {found[:50]!r} is not known here; this version reads {readable}: deploy a newer one"
        )
