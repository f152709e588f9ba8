"""A model registry in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from model_sync.ports import Entry, Unservable, Version
from offpath.contracts.errors import Transient


@dataclass
class FakeRegistry:
    """A model registry in memory."""

    entries: dict[str, Entry] = field(default_factory=dict)
    versions: dict[tuple[str, str], tuple[Version, Mapping[str, bytes]]] = field(default_factory=dict)
    fetched: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False

    def add(self, name: str, files: Mapping[str, bytes], *, number: str = "1", ready: bool = True, **more: str) -> None:
        """Register a version."""
        source = more.get("source", f"models:/m-{name}-{number}")
        self.entries.setdefault(name, Entry(name, more.get("description", ""), {}))
        self.versions[name, number] = (Version(name, number, ready, source, f"run-{number}"), files)

    def point(self, name: str, alias: str, number: str) -> None:
        """Let an alias stand for a version."""
        entry = self.entries[name]
        self.entries[name] = replace(entry, aliases={**entry.aliases, alias: number})

    def tag(self, name: str, **tags: str) -> None:
        """Set tags of a registered model."""
        entry = self.entries[name]
        self.entries[name] = replace(entry, tags={**entry.tags, **tags})

    def describe(self, name: str, number: str, *, description: str = "", unit: str = "") -> None:
        """Say what a version is, and the unit of its values."""
        version, files = self.versions[name, number]
        self.versions[name, number] = (replace(version, description=description, unit=unit), files)

    def models(self) -> Iterator[Entry]:
        self._answer()
        yield from self.entries.values()

    def version(self, name: str, number: str) -> Version:
        self._answer()
        if (name, number) not in self.versions:
            raise Unservable(f"no version {number} of {name}")
        return self.versions[name, number][0]

    def artifact(self, version: Version, path: str) -> bytes:
        self._answer()
        self.fetched.append((version.name, version.number, path))
        try:
            return self.versions[version.name, version.number][1][path]
        except KeyError:
            raise Unservable(f"no file {path}") from None

    def _answer(self) -> None:
        if self.down:
            raise Transient("the registry is down")
