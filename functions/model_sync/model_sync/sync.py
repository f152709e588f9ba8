"""From the registry's aliases to a manifest and the files it names.

Files are published before the manifest names them, and the manifest is written last and whole: a reader sees the
state before or the state after. What is published is kept: an entry of the previous manifest is used again, not
fetched again, and an alias moved to a version that cannot be served goes on serving the version it stood for. So do
shares of the traffic: tags that cannot be used leave it as it was. An entry that a newer version wrote and this one
cannot read stays as it was found, for as long as this one cannot publish the alias itself. A manifest of a newer
schema stays whole: nothing is published then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from model_sync.ports import Entry, Files, Registry, Unservable
from model_sync.publisher import ModelPublisher
from model_sync.traffic import TagUnusable, Traffic, previous_traffic, traffic_of
from offpath.contracts.errors import ManifestError, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.model_manifest import Manifest, ModelVersion, RegisteredModel, Unreadable
from offpath.contracts.names import CHAMPION, MANIFEST_KEY


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a sync.

    models: name → alias → version, as served from now on; none where the manifest cannot be read.
    skipped: `name`, `name@alias` or the manifest's key → reason.
    """

    changed: bool
    models: Mapping[str, Mapping[str, str]]
    skipped: Mapping[str, str]


@dataclass(slots=True)
class _Round:
    """The state of one sync: the manifest before it, and what was found out since."""

    previous: Manifest
    skipped: dict[str, str] = field(default_factory=dict)
    done: dict[tuple[str, str], ModelVersion | Unservable] = field(default_factory=dict)


class ModelSync:
    """Publishes the registry's aliases."""

    def __init__(self, registry: Registry, files: Files, publisher: ModelPublisher) -> None:
        self._registry = registry
        self._files = files
        self._publisher = publisher

    def run(self) -> Report:
        """Publish what is new. Raises Transient, with the manifest untouched, when MLflow or S3 does not answer."""
        stored = self._stored()
        try:
            current = _round(stored)
        except UnknownSchema as error:
            reason = f"{error}; it stays as it is. To go back to this version for good, delete {MANIFEST_KEY}"
            return Report(changed=False, models={}, skipped={MANIFEST_KEY: reason})
        found = {entry.name: self._model(entry, current) for entry in self._entries(current.previous)}
        models = {name: model for name, model in found.items() if isinstance(model, RegisteredModel)}
        unreadable = {name: model for name, model in found.items() if isinstance(model, Unreadable)}
        manifest = current.previous.model_copy(update={"models": models, "unreadable": unreadable})
        changed = (content := manifest.to_json()) != stored
        if changed:
            self._files.put(MANIFEST_KEY, content)
        return Report(changed, _versions(manifest), current.skipped)

    def _stored(self) -> bytes | None:
        try:
            return self._files.get(MANIFEST_KEY)
        except ObjectMissing:
            return None

    def _entries(self, previous: Manifest) -> list[Entry]:
        entries = list(self._registry.models())
        if (
            previous.models or previous.unreadable
        ) and not entries:  # an empty database behind a new MLflow must not end all predictions
            raise Transient(
                f"the registry has no model at all, but {MANIFEST_KEY} serves some: "
                f"if that is intended, delete {MANIFEST_KEY}"
            )
        return entries

    def _model(self, entry: Entry, current: _Round) -> RegisteredModel | Unreadable | None:
        if not entry.aliases:
            current.skipped[entry.name] = f"it has no alias: give one to a version, for example {CHAMPION}"
            return None
        found = {alias: self._alias(entry, alias, current) for alias in entry.aliases}
        versions = {alias: version for alias, version in found.items() if isinstance(version, ModelVersion)}
        whole = current.previous.unreadable.get(entry.name)
        if whole and len(versions) < len(entry.aliases):
            current.skipped[entry.name] = f"its entry stays as a newer version wrote it, not read here: {whole.reason}"
            return whole
        kept = {alias: version for alias, version in found.items() if isinstance(version, Unreadable)}
        traffic = _traffic(entry, current).among([*versions, *kept])
        aliases = {alias: traffic.given_to(alias, version) for alias, version in versions.items()}
        changes = {"description": entry.description, "aliases": aliases, "unreadable": kept}
        return _before(entry.name, current).model_copy(update=changes) if aliases or kept else None

    def _alias(self, entry: Entry, alias: str, current: _Round) -> ModelVersion | Unreadable | None:
        number = entry.aliases[alias]
        match self._once(entry.name, number, current):
            case ModelVersion() as version:
                return version
            case reason:
                before = _before(entry.name, current)
                kept = before.aliases.get(alias) or before.unreadable.get(alias)
                stays = f"; {_called(kept)} stays" if kept else ""
                current.skipped[f"{entry.name}@{alias}"] = f"version {number}: {reason}{stays}"
                return kept

    def _once(self, name: str, number: str, current: _Round) -> ModelVersion | Unservable:
        if (name, number) not in current.done:
            try:
                version = self._registry.version(name, number)
                current.done[name, number] = self._publisher.publish(version, current.previous)
            except Unservable as reason:
                current.done[name, number] = reason
        return current.done[name, number]


def _round(stored: bytes | None) -> _Round:
    """Return what a sync begins with. Raises UnknownSchema for a manifest that a newer version wrote."""
    try:
        return _Round(Manifest.parse(stored) if stored else Manifest())
    except ManifestError as error:  # everything in it is found again, in the registry
        return _Round(Manifest(), {MANIFEST_KEY: f"{error}: it is written anew"})


def _before(name: str, current: _Round) -> RegisteredModel:
    """Return the model as it was published, without aliases if it was not.

    A model whose entry cannot be read as a whole has its aliases' entries as they were found: they may name shares.
    """
    whole = current.previous.unreadable.get(name)
    return current.previous.models.get(name) or RegisteredModel(aliases={}, unreadable=_alias_entries(whole))


def _alias_entries(whole: Unreadable | None) -> dict[str, Unreadable]:
    match whole:
        case Unreadable(reason, {"aliases": dict(entries)}):
            return {alias: Unreadable(reason, entry) for alias, entry in entries.items()}
        case _:
            return {}


def _called(kept: ModelVersion | Unreadable) -> str:
    match kept:
        case ModelVersion():
            return f"version {kept.number}"
        case Unreadable(content={"version": str(number)}):
            return f"version {number}, as a newer version of model_sync wrote it,"
        case _:
            return "what a newer version of model_sync wrote"


def _traffic(entry: Entry, current: _Round) -> Traffic:
    try:
        return traffic_of(entry.aliases, entry.tags)
    except TagUnusable as reason:
        current.skipped[entry.name] = f"{reason}; the traffic stays as it was"
        return previous_traffic(entry.aliases, _before(entry.name, current))


def _versions(manifest: Manifest) -> dict[str, dict[str, str]]:
    return {
        name: {alias: version.number for alias, version in sorted(model.aliases.items())}
        for name, model in sorted(manifest.models.items())
        if model.aliases
    }
