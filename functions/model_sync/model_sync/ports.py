"""Ports to the model registry and to the bucket of the models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from offpath.contracts.errors import OffpathError


class Unservable(OffpathError):
    """A version cannot be served, now or at all; the message is the reason, for the person who registered it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered model as the registry lists it. aliases: alias → version. tags: the model's, not a version's."""

    name: str
    description: str
    aliases: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model.

    source: where its files come from, in the registry's words. unit: of a regression's value, if a tag names it.
    """

    name: str
    number: str
    ready: bool
    source: str
    run_id: str | None
    description: str = ""
    unit: str = ""


class Registry(Protocol):
    """The model registry. Every method raises Transient when the registry does not answer as one."""

    def models(self) -> Iterator[Entry]:
        """Every registered model."""

    def version(self, name: str, number: str) -> Version:
        """One version. Raises Unservable when there is none."""

    def artifact(self, version: Version, path: str) -> bytes:
        """A file of that version. Raises Unservable when the registry cannot hand it out."""


class Files(Protocol):
    """The models' bucket. Every method raises Transient when it does not answer."""

    def get(self, key: str) -> bytes:
        """The file. Raises ObjectMissing."""

    def exists(self, key: str) -> bool:
        """Tell whether there is a file under the key."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Store the file, whole or not at all; the bucket's name comes back."""
