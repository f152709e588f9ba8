"""One version of a registered model, published: its files in the bucket, and what the manifest says of it."""

import hashlib
from typing import Any

from model_sync.example import first_record, first_tensors
from model_sync.file_checks import check_onnx, check_tokenizer
from model_sync.mlmodel import PATH, Description, parse_mlmodel
from model_sync.ports import Files, Registry, Unservable, Version
from offpath.contracts.model_manifest import Manifest, ModelVersion, PublishedFile
from offpath.contracts.names import model_file_key, tokenizer_file_key

# In characters.
LONGEST_DESCRIPTION, LONGEST_UNIT = 1_000, 100


class ModelPublisher:
    """Publishes versions. max_model_bytes: larger models are refused, as they would not fit in memory."""

    def __init__(self, registry: Registry, files: Files, max_model_bytes: int) -> None:
        self._registry = registry
        self._files = files
        self._max_model_bytes = max_model_bytes

    def publish(self, version: Version, previous: Manifest) -> ModelVersion:
        """The manifest's entry for a version, once its files are in the bucket; the previous one's, if it has it.

        Raises Unservable with the reason, or Transient.
        """
        for published in previous.aliases(version.name).values():
            if _is_same(published, version) and all(map(self._files.exists, published.file_keys)):
                return _described(published, version, published.unit)
        if not version.ready:
            raise Unservable("it is not ready: the registry has not got all of it, or gave it up")
        return self._fetch(version, parse_mlmodel(self._registry.artifact(version, PATH)))

    def _fetch(self, version: Version, model: Description) -> ModelVersion:
        if model.bytes > self._max_model_bytes:
            raise Unservable(f"its {model.bytes} bytes are over OFFPATH_MAX_MODEL_BYTES={self._max_model_bytes}")
        content = self._registry.artifact(version, model.onnx_path)
        check_onnx(content)
        tokenizer = self._tokenizer(version, model)
        digest = hashlib.sha256(content).hexdigest()
        self._put(key := model_file_key(digest), content, "application/octet-stream")
        published = ModelVersion(
            number=version.number,
            run_id=version.run_id,
            source=version.source,
            key=key,
            sha256=digest,
            bytes=len(content),
            tokenizer=tokenizer,
            task=model.task,
            labels=model.labels,
            signature=model.signature,
            input_example=self._example(version, model),
        )
        return _described(published, version, model.unit)

    def _tokenizer(self, version: Version, model: Description) -> PublishedFile | None:
        if model.tokenizer_path is None:
            return None
        content = self._registry.artifact(version, model.tokenizer_path)
        check_tokenizer(content)
        digest = hashlib.sha256(content).hexdigest()
        self._put(key := tokenizer_file_key(digest), content, "application/json")
        return PublishedFile(key=key, sha256=digest, bytes=len(content))

    def _put(self, key: str, content: bytes, content_type: str) -> None:
        if not self._files.exists(key):  # a key with a digest in it always has the same content
            self._files.put(key, content, content_type)

    def _example(self, version: Version, model: Description) -> dict[str, Any] | list[Any] | None:
        if model.example_path is None:
            return None
        try:
            content = self._registry.artifact(version, model.example_path)
        except Unservable:  # a model is served without its example
            return None
        if model.signature.tensors:
            return first_tensors(content, model.signature.tensors)
        return first_record(content, (column.name for column in model.signature.columns))


def _is_same(published: ModelVersion, version: Version) -> bool:
    return (published.number, published.source) == (version.number, version.source)


def _described(published: ModelVersion, version: Version, unit: str) -> ModelVersion:
    """Return the entry with what the registry says of the version now. unit: where no tag names one."""
    about = {"description": version.description[:LONGEST_DESCRIPTION], "unit": (version.unit or unit)[:LONGEST_UNIT]}
    return published.model_copy(update=about)
