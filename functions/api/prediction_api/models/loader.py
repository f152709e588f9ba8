"""Keeps the catalog true to the manifest, off the request path."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from offpath.contracts.errors import ManifestError, ObjectMissing, Transient, UnknownSchema
from offpath.contracts.model_manifest import Manifest, ModelVersion, PublishedFile, RegisteredModel
from offpath.contracts.names import CHAMPION, MANIFEST_KEY
from prediction_api.errors import ModelUnusable
from prediction_api.inputs.records import RecordSchema
from prediction_api.inputs.tensors import TensorSchema
from prediction_api.models.catalog import Catalog
from prediction_api.models.on_demand import OnDemand, Runnable
from prediction_api.models.served import FailedModel, InputSchema, Predictor, ServedModel
from prediction_api.models.variants import Variants, variants_of

# How soon the manifest is read again that could not be read, where `refresh_seconds` is longer.
REFRESH_AFTER_PROBLEM_SECONDS = 5.0

_log = logging.getLogger(__name__)


class ModelStore(Protocol):
    """The store of the manifest and the models' files."""

    def manifest_if_changed(self, etag: str | None) -> tuple[bytes, str] | None:
        """Return the manifest and its entity tag; None if that is still the tag. Raises ObjectMissing or Transient."""

    def model_file(self, key: str) -> bytes:
        """Return a model's file. Raises ObjectMissing or Transient."""


Identity = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The content of a version's files. tokenizer: of a graph that takes tokens."""

    graph: bytes
    tokenizer: bytes | None = None


Load = Callable[[ModelFiles, ModelVersion], Runnable]


class ModelLoader:
    """Reads the manifest at the start, and again when it is due. A new version is swapped in whole, or not at all."""

    def __init__(
        self,
        store: ModelStore,
        load: Load,
        *,
        max_records: int,
        refresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._load = load
        self._max_records = max_records
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._manifest = Manifest()
        self._etag: str | None = None
        self._due = clock()
        self.catalog = Catalog()

    def refresh_when_due(self) -> None:
        """Refresh if the last time is long enough ago."""
        if self._clock() >= self._due:
            self.refresh()

    def refresh(self) -> None:
        """Read the manifest if it changed, load what is new in it, and try again what failed before."""
        with self._lock:
            changed, problem = self._read_manifest()
            if changed or problem or self._has_problems():
                self.catalog = Catalog(self._models(), problem)
            longest = REFRESH_AFTER_PROBLEM_SECONDS if problem else self._refresh_seconds
            self._due = self._clock() + min(self._refresh_seconds, longest)

    def _models(self) -> dict[str, Variants]:
        models = {name: self._variants(name, model) for name, model in self._manifest.models.items()}
        for name, entry in self._manifest.unreadable.items():
            current = self.catalog.models.get(name)
            aliases = [*current.by_alias] if current else [CHAMPION]
            models[name] = variants_of(name, {alias: self._unreadable(name, alias, entry.reason) for alias in aliases})
        return models

    def _has_problems(self) -> bool:
        return bool(self.catalog.problem) or any(model.problems for model in self.catalog.models.values())

    def _read_manifest(self) -> tuple[bool, str]:
        """Keep the manifest if there is a new one. Return whether there was, and the problem, or an empty text."""
        try:
            fetched = self._store.manifest_if_changed(self._etag)
            if fetched:
                content, etag = fetched
                self._manifest, self._etag = Manifest.parse(content), etag
            return bool(fetched), ""
        except ObjectMissing:
            problem = f"there is no {MANIFEST_KEY} in the bucket; model_sync writes it from MLflow's registry"
        except (ManifestError, UnknownSchema, Transient) as error:
            problem = str(error)
        return False, self._logged(problem)

    def _logged(self, problem: str) -> str:
        if problem != self.catalog.problem:
            _log.warning("%s", problem)
        return problem

    def _variants(self, name: str, registered: RegisteredModel) -> Variants:
        current = self.catalog.models.get(name)
        predictors = {_identity(served.version): served.predictor for served in current.served} if current else {}
        by_alias: dict[str, ServedModel | FailedModel] = {
            alias: self._variant(name, alias, version, predictors) for alias, version in registered.aliases.items()
        }
        for alias, entry in registered.unreadable.items():
            by_alias[alias] = self._unreadable(name, alias, entry.reason)
        missing = FailedModel(name, CHAMPION, f"no version has the alias {CHAMPION}")
        return variants_of(name, {CHAMPION: missing} | by_alias)

    def _variant(
        self, name: str, alias: str, version: ModelVersion, predictors: dict[Identity, Predictor]
    ) -> ServedModel | FailedModel:
        predictor = predictors.setdefault(_identity(version), OnDemand(partial(self._loaded, version), self._clock))
        try:
            _prepare(alias, version, predictor)
        except (ModelUnusable, ObjectMissing, Transient) as error:
            return self._version_before(name, alias, version, f"version {version.number}: {error}")
        return ServedModel(name, alias, version, predictor, self._schema(version))

    def _loaded(self, version: ModelVersion) -> Runnable:
        tokenizer = self._fetched(version.tokenizer) if version.tokenizer else None
        return self._load(ModelFiles(self._fetched(version), tokenizer), version)

    def _fetched(self, file: ModelVersion | PublishedFile) -> bytes:
        content = self._store.model_file(file.key)
        digest = hashlib.sha256(content).hexdigest()
        if digest != file.sha256:
            raise ModelUnusable(f"{file.key} has SHA-256 {digest}, but the manifest says {file.sha256}")
        return content

    def _schema(self, version: ModelVersion) -> InputSchema:
        signature = version.signature
        if signature.tensors:
            return TensorSchema(signature.tensors, self._max_records)
        return RecordSchema(signature.columns, self._max_records)

    def _unreadable(self, name: str, alias: str, reason: str) -> ServedModel | FailedModel:
        """Return what serves an alias whose entry cannot be read: the version that it stood for before, if any."""
        problem = f"its entry in {MANIFEST_KEY} cannot be read: {reason}; deploy a newer version of this API"
        variants = self.catalog.models.get(name)
        current = variants.by_alias.get(alias) if variants else None
        if current is None or current.problem != problem:
            _log.warning("model %s@%s: %s", name, alias, problem)
        return (
            replace(current, problem=problem) if isinstance(current, ServedModel) else FailedModel(name, alias, problem)
        )

    def _version_before(self, name: str, alias: str, version: ModelVersion, problem: str) -> ServedModel | FailedModel:
        """Return the alias's version before, in place of one that cannot be served; a FailedModel if there is none."""
        variants = self.catalog.models.get(name)
        current = variants.by_alias.get(alias) if variants else None
        if current is None or current.problem != problem:
            _log.warning("model %s@%s, %s", name, alias, problem)
        if not isinstance(current, ServedModel) or not _can_replace(current, alias, version):
            return FailedModel(name, alias, problem, version.weight)
        traffic = {"weight": version.weight, "shadow": version.shadow}
        return replace(current, version=current.version.model_copy(update=traffic), problem=problem)


def _prepare(alias: str, version: ModelVersion, predictor: Predictor) -> None:
    """Load a version that has traffic; others are loaded by the first request for them."""
    if alias == CHAMPION or version.weight or version.shadow:
        predictor.prepare()


def _can_replace(current: ServedModel, alias: str, version: ModelVersion) -> bool:
    """Whether the current version can take that version's traffic: it may never have been loaded."""
    try:
        _prepare(alias, version, current.predictor)
    except (ModelUnusable, ObjectMissing, Transient):
        return False
    return True


def _identity(version: ModelVersion) -> Identity:
    """Return what versions have in common that one loaded graph can serve: the files, and how they are called."""
    return version.sha256, version.tokenizer, version.signature, version.task, version.labels
